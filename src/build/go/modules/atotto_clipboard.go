package clipboard

import "errors"

var errNotAvailable = errors.New("a WebAssembly plugin has no clipboard")

func init() { Unsupported = true }

func readAll() (string, error) { return "", errNotAvailable }
func writeAll(string) error    { return errNotAvailable }
