//go:build wasip1

// What a program finds around it: its memory, its environment, and signals.

package runtime

import "internal/stringslite"

// skipForeignPages moves the break past pages that someone else added to the memory. The adapter for preview 1
// takes some at its first call. Go's sbrk would take them for its own, since it computes addresses from the
// break and ignores what memory.grow returned.
//
// The memory between the break and these pages stays unused. It has never been touched, so it costs addresses
// only.
func skipForeignPages() {
	if end := uintptr(currentMemory()) * physPageSize; end != blocMax {
		bloc, blocMax = end, end
	}
}

// setDefaultHome sets HOME if it is not set, to what containers without a home folder have. Programs and
// libraries fail without one, although few need the folder.
func setDefaultHome() {
	for _, env := range envs {
		if stringslite.HasPrefix(env, "HOME=") {
			return
		}
	}
	envs = append(envs, "HOME=/")
}

// waitForSignal blocks its goroutine forever: WASI has no signals. Go's own wait for one is a loop that never
// sleeps. A goroutine that waits for a timer is not a deadlock, so that a program that only waits for a signal
// goes on.
func waitForSignal() {
	for {
		timeSleep(maxWhen)
	}
}
