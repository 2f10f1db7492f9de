package tea

import (
	"errors"
	"os"

	"github.com/charmbracelet/x/term"
)

const suspendSupported = false

func suspendProcess() {}

// initInput fails on a terminal, which cannot be made to send each key.
func (p *Program) initInput() error {
	if input, ok := p.input.(term.File); ok && term.IsTerminal(input.Fd()) {
		return errors.New("a WebAssembly plugin cannot draw a form: it cannot change the terminal")
	}
	if output, ok := p.output.(term.File); ok && term.IsTerminal(output.Fd()) {
		p.ttyOutput = output
	}
	return nil
}

func openInputTTY() (*os.File, error) {
	return nil, errors.New("a WebAssembly plugin cannot open the terminal")
}

// listenForResize only waits for the end: no signal reports another size.
func (p *Program) listenForResize(done chan struct{}) {
	<-p.ctx.Done()
	close(done)
}
