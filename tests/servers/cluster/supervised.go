package main

import (
	"io"
	"os"
)

// supervised is the variable by which the supervisor says that this program's standard input is its lifeline.
const supervised = "KWASM_CLUSTER_SUPERVISED"

// endWithSupervisor ends this program as soon as the supervisor has gone, however it went: the system closes the pipe of
// a killed process too, on every platform. No program says goodbye, since nothing of a test cluster outlives it, and
// the API server would wait up to a minute for its watches.
func endWithSupervisor() {
	if os.Getenv(supervised) != "1" {
		return
	}
	// What kwok runs for an exec has a standard input of its own.
	os.Unsetenv(supervised)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		endGroup()
		os.Exit(1)
	}()
}
