package logrus

import "syscall"

func isTerminal(fd int) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(fd, &stat) == nil && stat.Filetype == syscall.FILETYPE_CHARACTER_DEVICE
}
