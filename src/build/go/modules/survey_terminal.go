package terminal

import (
	"bufio"
	"bytes"
	"errors"
)

// runeReaderState reads runes as they come: a line at a time.
type runeReaderState struct {
	reader *bufio.Reader
	buffer *bytes.Buffer
}

func newRuneReaderState(input FileReader) runeReaderState {
	buffer := new(bytes.Buffer)
	return runeReaderState{bufio.NewReader(&BufferedReader{In: input, Buffer: buffer}), buffer}
}

// Buffer returns what was read but not used.
func (rr *RuneReader) Buffer() *bytes.Buffer { return rr.state.buffer }

// SetTermMode fails. A prompt needs a terminal that sends each key.
func (rr *RuneReader) SetTermMode() error {
	return errors.New("a WebAssembly plugin cannot ask: it cannot change the terminal")
}

// RestoreTermMode does nothing.
func (rr *RuneReader) RestoreTermMode() error { return nil }

// ReadRune reads a rune.
func (rr *RuneReader) ReadRune() (rune, int, error) { return rr.state.reader.ReadRune() }
