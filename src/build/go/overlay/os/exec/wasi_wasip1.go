package exec

// noPrograms is the error of starting a program. Callers that test for ErrNotFound find it.
type noPrograms struct{}

var errNoPrograms error = noPrograms{}

func (noPrograms) Error() string { return "a WebAssembly plugin cannot start other programs" }
func (noPrograms) Unwrap() error { return ErrNotFound }
