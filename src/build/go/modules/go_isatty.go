package isatty

import "syscall"

// IsTerminal returns whether a descriptor is a terminal.
func IsTerminal(fd uintptr) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(int(fd), &stat) == nil && stat.Filetype == syscall.FILETYPE_CHARACTER_DEVICE
}

// IsCygwinTerminal returns false.
func IsCygwinTerminal(uintptr) bool { return false }
