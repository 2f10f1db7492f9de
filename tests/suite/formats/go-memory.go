// Writes 256 MiB and reads them back, and calls the host between: whoever else writes into this memory is found.
//
// Ends with 0 and prints a checksum; with 3 if a byte is not what was written.
package main

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"os"
	"time"
)

const (
	total = 256 << 20
	// How often the host is called.
	every = 4 << 20
)

// What one block has at a place.
func expected(block, place int) byte {
	return byte(block*31 + place*7 + place>>8)
}

func check(blocks [][]byte) (sum uint64) {
	for i, block := range blocks {
		for j, have := range block {
			if have != expected(i, j) {
				fmt.Printf("CORRUPT: byte %d of block %d is %d instead of %d\n", j, i, have, expected(i, j))
				os.Exit(3)
			}
			sum = sum*1099511628211 + uint64(have)
		}
	}
	return sum
}

// Uses whatever makes the host write into this memory. Errors are answers too: what is granted is not the point.
func callHost(stdin *bufio.Reader, calls int) (bytes int) {
	for _, variable := range os.Environ() {
		bytes += len(variable)
	}
	bytes += time.Now().Second()
	if config, err := os.ReadFile(os.Getenv("KUBECONFIG")); err == nil {
		bytes += len(config)
	}
	if entries, err := os.ReadDir("/"); err == nil {
		bytes += len(entries)
	}
	_, _ = os.Stat("/kwasm")
	_ = os.WriteFile("/kwasm/new", []byte("new"), 0o600)
	var random [512]byte
	if _, err := rand.Read(random[:]); err != nil {
		fmt.Println("random:", err)
	}
	if line, err := stdin.ReadString('\n'); err == nil {
		bytes += len(line)
	}
	if calls%16 == 0 {
		time.Sleep(time.Millisecond)
	}
	return bytes
}

func main() {
	stdin := bufio.NewReaderSize(os.Stdin, 64)
	var blocks [][]byte
	written, since, calls := 0, every, 0
	for written < total {
		// From small ones to those of several pages.
		size := 1000 << (len(blocks) % 12)
		size = min(size, total-written)
		block := make([]byte, size)
		for j := range block {
			block[j] = expected(len(blocks), j)
		}
		blocks = append(blocks, block)
		written += size
		since += size
		if since >= every {
			since = 0
			callHost(stdin, calls)
			calls++
		}
	}
	sum := check(blocks)
	callHost(stdin, 0)
	if check(blocks) != sum {
		fmt.Println("CORRUPT: the second reading differs")
		os.Exit(3)
	}
	fmt.Printf("%d MiB in %d blocks, %d calls, checksum %016x\n", written>>20, len(blocks), calls, sum)
}
