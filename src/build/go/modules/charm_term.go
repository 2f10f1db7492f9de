package term

import (
	"errors"
	"os"
	"strconv"
	"syscall"
)

var errNotAvailable = errors.New("a WebAssembly plugin cannot change the terminal")

type state struct{}

func isTerminal(fd uintptr) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(int(fd), &stat) == nil && stat.Filetype == syscall.FILETYPE_CHARACTER_DEVICE
}

// getSize returns the size that the host gives, since there is no call for it.
func getSize(fd uintptr) (width, height int, err error) {
	width, err = strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || !isTerminal(fd) {
		return 0, 0, errors.New("the size of the terminal is unknown")
	}
	height, err = strconv.Atoi(os.Getenv("LINES"))
	if err != nil {
		return 0, 0, errors.New("the size of the terminal is unknown")
	}
	return width, height, nil
}

// readPassword fails: what is typed would be shown.
func readPassword(uintptr) ([]byte, error) { return nil, errNotAvailable }

func makeRaw(uintptr) (*State, error)  { return nil, errNotAvailable }
func getState(uintptr) (*State, error) { return nil, errNotAvailable }
func setState(uintptr, *State) error   { return errNotAvailable }
func restore(uintptr, *State) error    { return errNotAvailable }
