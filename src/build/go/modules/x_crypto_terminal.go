package terminal

import (
	"errors"
	"os"
	"strconv"
	"syscall"
)

var errNotAvailable = errors.New("a WebAssembly plugin cannot change the terminal")

// State is the state of a terminal. It has no fields: it can be neither read nor changed.
type State struct{}

// IsTerminal returns whether a descriptor is a terminal.
func IsTerminal(fd int) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(fd, &stat) == nil && stat.Filetype == syscall.FILETYPE_CHARACTER_DEVICE
}

// GetSize returns the size that the host gives, since there is no call for it.
func GetSize(fd int) (width, height int, err error) {
	width, err = strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || !IsTerminal(fd) {
		return 0, 0, errors.New("the size of the terminal is unknown")
	}
	height, err = strconv.Atoi(os.Getenv("LINES"))
	if err != nil {
		return 0, 0, errors.New("the size of the terminal is unknown")
	}
	return width, height, nil
}

// ReadPassword fails: what is typed would be shown.
func ReadPassword(int) ([]byte, error) { return nil, errNotAvailable }

// MakeRaw fails.
func MakeRaw(int) (*State, error) { return nil, errNotAvailable }

// GetState fails.
func GetState(int) (*State, error) { return nil, errNotAvailable }

// Restore fails.
func Restore(int, *State) error { return errNotAvailable }
