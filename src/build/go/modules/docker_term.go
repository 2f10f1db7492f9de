package term

import (
	"errors"
	"io"
	"os"
	"strconv"
	"syscall"
)

// ErrInvalidState is returned if the state of the terminal is invalid.
var ErrInvalidState = errors.New("invalid terminal state")

var errNotAvailable = errors.New("a WebAssembly plugin cannot change the terminal")

// Termios has no fields: the terminal's attributes cannot be read.
type Termios struct{}

// State is the state of a terminal. It has no fields: it can be neither read nor changed.
type State struct{}

// Winsize is the size of a terminal's window.
type Winsize struct {
	Height uint16
	Width  uint16
}

// StdStreams returns the standard streams.
func StdStreams() (stdIn io.ReadCloser, stdOut, stdErr io.Writer) {
	return os.Stdin, os.Stdout, os.Stderr
}

// GetFdInfo returns the descriptor of an os.File, and whether it is a terminal.
func GetFdInfo(in interface{}) (uintptr, bool) {
	if file, ok := in.(*os.File); ok {
		fd := file.Fd()
		return fd, IsTerminal(fd)
	}
	return 0, false
}

// GetWinsize returns the size that the host gives, since there is no call for it.
func GetWinsize(fd uintptr) (*Winsize, error) {
	width, err := strconv.ParseUint(os.Getenv("COLUMNS"), 10, 16)
	if err != nil || !IsTerminal(fd) {
		return nil, errNotAvailable
	}
	height, err := strconv.ParseUint(os.Getenv("LINES"), 10, 16)
	if err != nil {
		return nil, errNotAvailable
	}
	return &Winsize{Width: uint16(width), Height: uint16(height)}, nil
}

// IsTerminal returns whether a descriptor is a terminal.
func IsTerminal(fd uintptr) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(int(fd), &stat) == nil && stat.Filetype == syscall.FILETYPE_CHARACTER_DEVICE
}

// SetWinsize fails.
func SetWinsize(uintptr, *Winsize) error { return errNotAvailable }

// RestoreTerminal fails.
func RestoreTerminal(uintptr, *State) error { return errNotAvailable }

// SaveState fails.
func SaveState(uintptr) (*State, error) { return nil, errNotAvailable }

// DisableEcho fails.
func DisableEcho(uintptr, *State) error { return errNotAvailable }

// SetRawTerminal fails.
func SetRawTerminal(uintptr) (*State, error) { return nil, errNotAvailable }

// SetRawTerminalOutput does nothing, as on Unix.
func SetRawTerminalOutput(uintptr) (*State, error) { return nil, nil }

// MakeRaw fails.
func MakeRaw(uintptr) (*State, error) { return nil, errNotAvailable }
