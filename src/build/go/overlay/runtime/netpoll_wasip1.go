//go:build wasip1

// The network poller for WASI 0.2. It replaces the one for preview 1, whose poll_oneoff knows no sockets that the
// program opened itself. Goroutines wait for pollables of wasi:io/poll, all of them in one call, which also
// waits for the next timer.
//
// Nothing is locked in this file: WebAssembly has one thread, and goroutines switch only where they block. An
// allocation may block, to help the garbage collector.

package runtime

import "unsafe"

// The bits of pollDesc.user: what a goroutine waits for. A bit is set until the host has reported readiness.
const (
	pollArmedRead  = 1 << 0
	pollArmedWrite = 1 << 1
)

// pollWait is one pollable in a call of wasi:io/poll, and what is reported when it is ready.
type pollWait struct {
	pd   *pollDesc
	mode int32
}

// polling has the arguments and results of wasi:io/poll. The slices other than open are as long as a call with
// all that open has room for requires, since netpoll may not allocate.
var polling struct {
	open      []*pollDesc
	pollables []int32
	waits     []pollWait
	ready     []uint32
	always    int32 // a pollable that is always ready
}

func netpollinit() { polling.always = wasi_subscribe_duration(0) }

func netpollIsPollDescriptor(fd uintptr) bool { return false }

// netpollopen accepts sockets, name lookups and standard input. The files of preview 1 are always ready.
func netpollopen(fd uintptr, pd *pollDesc) int32 {
	if wasiFind(fd) == nil {
		return wasiEPERM
	}
	for len(polling.open) == cap(polling.open) {
		most := 2*len(polling.open) + 16
		// A read and a write for each, and the clock.
		size := 2*most + 1
		open := make([]*pollDesc, most)
		pollables, waits, ready := make([]int32, size), make([]pollWait, size), make([]uint32, size)
		// Other goroutines may have run during the allocations, and used or grown the slices.
		if most > cap(polling.open) {
			polling.open = open[:copy(open, polling.open)]
			polling.pollables, polling.waits, polling.ready = pollables, waits, ready
		}
	}
	pd.user = 0
	polling.open = append(polling.open, pd)
	return 0
}

func netpollclose(fd uintptr) int32 {
	for i, pd := range polling.open {
		if pd.fd == fd {
			last := len(polling.open) - 1
			polling.open[i] = polling.open[last]
			polling.open[last] = nil
			polling.open = polling.open[:last]
			break
		}
	}
	return 0
}

func netpollarm(pd *pollDesc, mode int) {
	if mode == 'r' {
		pd.user |= pollArmedRead
	} else {
		pd.user |= pollArmedWrite
	}
}

func netpollBreak() {}

// netpoll returns the goroutines that can go on. It waits for the first of them: forever if delay is negative,
// not at all if it is zero, and for that many nanoseconds otherwise.
func netpoll(delay int64) (gList, int32) {
	n := 0
	for _, pd := range polling.open {
		if pd.user == 0 {
			continue
		}
		d := wasiFind(pd.fd)
		if d == nil {
			continue
		}
		if pd.user&pollArmedRead != 0 && d.readable >= 0 {
			polling.pollables[n], polling.waits[n] = d.readable, pollWait{pd, 'r'}
			n++
		}
		if pd.user&pollArmedWrite != 0 && d.writable >= 0 {
			polling.pollables[n], polling.waits[n] = d.writable, pollWait{pd, 'w'}
			n++
		}
	}
	if n == 0 && delay <= 0 {
		return gList{}, 0
	}
	armed := n
	clock := int32(-1)
	switch {
	case delay == 0:
		polling.pollables[n] = polling.always
		n++
	case delay > 0:
		if len(polling.pollables) == 0 {
			netpollSleep(delay)
			return gList{}, 0
		}
		clock = wasi_subscribe_duration(uint64(delay))
		polling.pollables[n] = clock
		n++
	}

	wasiPutListAt(unsafe.Pointer(&polling.ready[0]), uintptr(len(polling.ready))*unsafe.Sizeof(polling.ready[0]))
	var result wasiResult
	wasi_poll(unsafe.Pointer(&polling.pollables[0]), int32(n), unsafe.Pointer(&result))
	if clock >= 0 {
		wasi_drop_pollable(clock)
	}

	var toRun gList
	delta := int32(0)
	for _, index := range polling.ready[:result.u32(4)] {
		if int(index) >= armed {
			continue
		}
		wait := polling.waits[index]
		if wait.mode == 'r' {
			wait.pd.user &^= pollArmedRead
		} else {
			wait.pd.user &^= pollArmedWrite
		}
		delta += netpollready(&toRun, wait.pd, wait.mode)
	}
	return toRun, delta
}

// netpollSleep waits for the clock alone, before anything was opened that polling could wait for.
func netpollSleep(ns int64) {
	pollable, ready := wasi_subscribe_duration(uint64(ns)), uint32(0)
	wasiPutListAt(unsafe.Pointer(&ready), unsafe.Sizeof(ready))
	var result wasiResult
	wasi_poll(unsafe.Pointer(&pollable), 1, unsafe.Pointer(&result))
	wasi_drop_pollable(pollable)
}
