//go:build unix

package main

import "syscall"

// endGroup kills what this program has started, an exec's command for one, with the program itself.
// It does nothing in a group that another program leads: that one is not ours to end.
func endGroup() {
	if pid := syscall.Getpid(); syscall.Getpgrp() == pid {
		syscall.Kill(-pid, syscall.SIGKILL)
	}
}
