package util

import "errors"

// Umask fails: WASI has no permissions of files.
func Umask(int) (int, error) { return 0, errors.New("a WebAssembly plugin has no umask") }
