// memory fills memory with a pattern while it opens sockets and reads its environment and its files, and then
// checks every byte. Arguments: the mebibytes to fill, and addresses to dial. It ends with 7 if all is as it was
// written.
package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const pieceSize = 1 << 16

// piece is filled by its index, so that no two pieces are the same.
type piece struct {
	index int
	bytes []byte
}

func fill(index int) piece {
	p := piece{index, make([]byte, pieceSize)}
	state := uint32(index)*2654435761 + 1
	for i := range p.bytes {
		state = state*1664525 + 1013904223
		p.bytes[i] = byte(state >> 24)
	}
	return p
}

func (p piece) intact() bool { return bytes.Equal(p.bytes, fill(p.index).bytes) }

func main() {
	mebibytes := 256
	if len(os.Args) > 1 {
		parsed, err := strconv.Atoi(os.Args[1])
		if err != nil || parsed < 1 {
			fmt.Fprintln(os.Stderr, "not a number of mebibytes:", os.Args[1])
			os.Exit(2)
		}
		mebibytes = parsed
	}
	var addresses []string
	if len(os.Args) > 2 {
		addresses = os.Args[2:]
	}

	var done atomic.Bool
	var dials, reads atomic.Int64
	var others sync.WaitGroup
	for _, address := range addresses {
		others.Add(1)
		go func() {
			defer others.Done()
			for !done.Load() {
				dial(address)
				dials.Add(1)
				time.Sleep(time.Millisecond)
			}
		}()
	}
	environment := fmt.Sprint(os.Environ())
	files := readFiles()
	others.Add(1)
	go func() {
		defer others.Done()
		for !done.Load() {
			if again := fmt.Sprint(os.Environ()); again != environment {
				corrupt("the environment became %q", again)
			}
			if again := readFiles(); again != files {
				corrupt("the files became %q", again)
			}
			reads.Add(1)
			time.Sleep(time.Millisecond)
		}
	}()

	total := mebibytes << 20 / pieceSize
	pieces := make([]piece, 0, total)
	for i := range total {
		pieces = append(pieces, fill(i))
		if i%64 == 0 {
			// The others run, and the memory of pieces that are replaced is freed and used again.
			time.Sleep(100 * time.Microsecond)
			for j := 0; j < i; j += 97 {
				pieces[j] = fill(j)
			}
		}
	}
	for _, p := range pieces {
		if !p.intact() {
			corrupt("piece %d of %d", p.index, total)
		}
	}
	done.Store(true)
	others.Wait()
	fmt.Printf("checked %d MiB\n", mebibytes)
	fmt.Fprintf(os.Stderr, "%d connections, %d readings\n", dials.Load(), reads.Load())
	os.Exit(7)
}

func dial(address string) {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	fmt.Fprintf(conn, "GET /version HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", address)
	answer := make([]byte, 4096)
	conn.Read(answer)
}

// readFiles returns what is in the folder of the kubeconfig, as far as there is one.
func readFiles() string {
	config := os.Getenv("KUBECONFIG")
	if config == "" {
		return ""
	}
	content, err := os.ReadFile(config)
	entries, listErr := os.ReadDir(filepath.Dir(config))
	return fmt.Sprintf("%q %v %d %v", content, err, len(entries), listErr)
}

func corrupt(format string, arguments ...any) {
	fmt.Printf("CORRUPT "+format+"\n", arguments...)
	os.Exit(3)
}
