package term

import (
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
)

// ErrInvalidState is not used.
var ErrInvalidState = errors.New("invalid terminal state")

var errNotAvailable = errors.New("a WebAssembly plugin cannot change the terminal")

// Termios has no fields: the terminal's attributes cannot be read.
type Termios struct{}

type terminalState struct{}

func stdStreams() (stdIn io.ReadCloser, stdOut, stdErr io.Writer) {
	return os.Stdin, os.Stdout, os.Stderr
}

func getFdInfo(in interface{}) (uintptr, bool) {
	if file, ok := in.(*os.File); ok {
		fd := file.Fd()
		return fd, isTerminal(fd)
	}
	return 0, false
}

// getWinsize returns the size that the host gives, since there is no call for it.
func getWinsize(fd uintptr) (*Winsize, error) {
	width, err := strconv.ParseUint(os.Getenv("COLUMNS"), 10, 16)
	if err != nil || !isTerminal(fd) {
		return nil, errNotAvailable
	}
	height, err := strconv.ParseUint(os.Getenv("LINES"), 10, 16)
	if err != nil {
		return nil, errNotAvailable
	}
	return &Winsize{Width: uint16(width), Height: uint16(height)}, nil
}

func isTerminal(fd uintptr) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(int(fd), &stat) == nil && stat.Filetype == syscall.FILETYPE_CHARACTER_DEVICE
}

func setWinsize(uintptr, *Winsize) error           { return errNotAvailable }
func restoreTerminal(uintptr, *State) error        { return errNotAvailable }
func saveState(uintptr) (*State, error)            { return nil, errNotAvailable }
func disableEcho(uintptr, *State) error            { return errNotAvailable }
func setRawTerminal(uintptr) (*State, error)       { return nil, errNotAvailable }
func setRawTerminalOutput(uintptr) (*State, error) { return nil, nil }
func makeRaw(uintptr) (*State, error)              { return nil, errNotAvailable }
