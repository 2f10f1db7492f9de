//go:build wasip1

// File descriptors for what preview 1 has none: TCP sockets, lookups of names, and a standard input that does not
// block. Packages syscall and net call the functions of this file.

package runtime

import "unsafe"

// The numbers of preview 1's errno that are used here, as in package syscall.
const (
	wasiEACCES        = 2
	wasiEADDRINUSE    = 3
	wasiEADDRNOTAVAIL = 4
	wasiEAGAIN        = 6
	wasiEALREADY      = 7
	wasiEBADF         = 8
	wasiECONNABORTED  = 13
	wasiECONNREFUSED  = 14
	wasiECONNRESET    = 15
	wasiEHOSTUNREACH  = 23
	wasiEINVAL        = 28
	wasiEIO           = 29
	wasiEMFILE        = 33
	wasiEMSGSIZE      = 35
	wasiENOENT        = 44
	wasiENOMEM        = 48
	wasiENOTCONN      = 53
	wasiENOTSUP       = 58
	wasiEPERM         = 63
	wasiEPIPE         = 64
	wasiETIMEDOUT     = 73
)

// wasiErrnos has the errno of each error-code of wasi:sockets/network, in its order.
var wasiErrnos = [...]int32{
	wasiEIO,           // unknown
	wasiEACCES,        // access-denied
	wasiENOTSUP,       // not-supported
	wasiEINVAL,        // invalid-argument
	wasiENOMEM,        // out-of-memory
	wasiETIMEDOUT,     // timeout
	wasiEALREADY,      // concurrency-conflict
	wasiEINVAL,        // not-in-progress
	wasiEAGAIN,        // would-block
	wasiEINVAL,        // invalid-state
	wasiEMFILE,        // new-socket-limit
	wasiEADDRNOTAVAIL, // address-not-bindable
	wasiEADDRINUSE,    // address-in-use
	wasiEHOSTUNREACH,  // remote-unreachable
	wasiECONNREFUSED,  // connection-refused
	wasiECONNRESET,    // connection-reset
	wasiECONNABORTED,  // connection-aborted
	wasiEMSGSIZE,      // datagram-too-large
	wasiENOENT,        // name-unresolvable
	wasiEIO,           // temporary-resolver-failure
	wasiEIO,           // permanent-resolver-failure
}

func wasiErrno(code uint8) int32 {
	if int(code) < len(wasiErrnos) {
		return wasiErrnos[code]
	}
	return wasiEIO
}

// The kinds of a descriptor.
const (
	wasiFree = iota
	wasiSocket
	wasiLookup
	wasiInput
)

// wasiDescriptor is what a file descriptor stands for. Handles and pollables that it does not have are -1.
type wasiDescriptor struct {
	kind   uint8
	handle int32 // the tcp-socket, or the resolve-address-stream
	// drop drops the handle. It is a value so that a program that opens no socket does not import wasi:sockets.
	drop   func(handle int32)
	input  int32
	output int32
	// readable and writable are the pollables to wait for. A socket that connects is writable once it has.
	readable int32
	writable int32
}

// wasiFirstFD is the first number of a descriptor in this file, far above those of preview 1. Package syscall has
// the same constant.
const wasiFirstFD = 1 << 20

var (
	wasiDescriptors []wasiDescriptor
	wasiStdin       = wasiDescriptor{wasiInput, -1, nil, -1, -1, -1, -1}
	wasiNetwork     = int32(-1)
)

// wasiFind returns the descriptor with a number, or nil if it is closed or a file of preview 1.
func wasiFind(fd uintptr) *wasiDescriptor {
	if fd == 0 {
		if wasiStdin.kind == wasiFree {
			return nil
		}
		return &wasiStdin
	}
	index := fd - wasiFirstFD
	if index >= uintptr(len(wasiDescriptors)) || wasiDescriptors[index].kind == wasiFree {
		return nil
	}
	return &wasiDescriptors[index]
}

// wasiAdd adds a descriptor and returns its number. The host limits how many there can be.
func wasiAdd(kind uint8, handle int32, drop func(int32)) int {
	added := wasiDescriptor{kind, handle, drop, -1, -1, -1, -1}
	for i := range wasiDescriptors {
		if wasiDescriptors[i].kind == wasiFree {
			wasiDescriptors[i] = added
			return wasiFirstFD + i
		}
	}
	for len(wasiDescriptors) == cap(wasiDescriptors) {
		grown := make([]wasiDescriptor, len(wasiDescriptors), 2*len(wasiDescriptors)+16)
		// Another goroutine may have added descriptors during the allocation.
		if cap(grown) > cap(wasiDescriptors) {
			grown = grown[:copy(grown[:cap(grown)], wasiDescriptors)]
			wasiDescriptors = grown
		}
	}
	wasiDescriptors = append(wasiDescriptors, added)
	return wasiFirstFD + len(wasiDescriptors) - 1
}

func wasiDropSocket(handle int32) { wasi_drop_tcp_socket(handle) }
func wasiDropLookup(handle int32) { wasi_drop_resolve(handle) }

func wasiUseNetwork() int32 {
	if wasiNetwork < 0 {
		wasiNetwork = wasi_instance_network()
	}
	return wasiNetwork
}

// wasiSocketCreate opens a TCP socket for IPv4 (0) or IPv6 (1), the discriminants of ip-address-family.
//
//go:linkname wasiSocketCreate net.wasiSocketCreate
func wasiSocketCreate(family int32) (fd int, errno int32) {
	var result wasiResult
	wasi_create_tcp_socket(family, unsafe.Pointer(&result))
	if result.isErr() {
		return -1, wasiErrno(result.u8(4))
	}
	return wasiAdd(wasiSocket, result.i32(4), wasiDropSocket), 0
}

// wasiSocketConnect begins to connect a socket to an ip-socket-address, given as its flat parameters.
//
//go:linkname wasiSocketConnect net.wasiSocketConnect
func wasiSocketConnect(fd int, family int32, address *[11]int32) (errno int32) {
	d := wasiFind(uintptr(fd))
	if d == nil || d.kind != wasiSocket {
		return wasiEBADF
	}
	a := address
	var result wasiResult
	wasi_tcp_start_connect(d.handle, wasiUseNetwork(), family,
		a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7], a[8], a[9], a[10], unsafe.Pointer(&result))
	if result.isErr() {
		return wasiErrno(result.u8(1))
	}
	d.writable = wasi_tcp_subscribe(d.handle)
	return 0
}

// wasiSocketConnected finishes what wasiSocketConnect began. It returns EAGAIN until the socket is connected.
//
//go:linkname wasiSocketConnected net.wasiSocketConnected
func wasiSocketConnected(fd int) (errno int32) {
	d := wasiFind(uintptr(fd))
	if d == nil || d.kind != wasiSocket {
		return wasiEBADF
	}
	var result wasiResult
	wasi_tcp_finish_connect(d.handle, unsafe.Pointer(&result))
	if result.isErr() {
		return wasiErrno(result.u8(4))
	}
	wasi_drop_pollable(d.writable)
	d.input, d.output = result.i32(4), result.i32(8)
	d.readable, d.writable = wasi_input_subscribe(d.input), wasi_output_subscribe(d.output)
	return 0
}

// wasiSocketAddress returns the local port of a connected socket, and its address as 4 or 16 bytes of ip.
//
//go:linkname wasiSocketAddress net.wasiSocketAddress
func wasiSocketAddress(fd int, ip *[16]byte) (size, port int, errno int32) {
	d := wasiFind(uintptr(fd))
	if d == nil || d.kind != wasiSocket {
		return 0, 0, wasiEBADF
	}
	var result wasiResult
	wasi_tcp_local_address(d.handle, unsafe.Pointer(&result))
	if result.isErr() {
		return 0, 0, wasiErrno(result.u8(4))
	}
	// ipv4-socket-address: the port, and four bytes. ipv6-socket-address: flow information before the address.
	if result.u8(4) == 0 {
		return wasiAddress(&result, false, 10, ip), int(result.u16(8)), 0
	}
	return wasiAddress(&result, true, 16, ip), int(result.u16(8)), 0
}

// wasiAddress reads an ip-address's value. The host gives those of IPv6 as eight numbers.
func wasiAddress(result *wasiResult, v6 bool, offset uintptr, ip *[16]byte) int {
	if !v6 {
		for i := uintptr(0); i < 4; i++ {
			ip[i] = result.u8(offset + i)
		}
		return 4
	}
	for i := uintptr(0); i < 16; i += 2 {
		group := result.u16(offset + i)
		ip[i], ip[i+1] = byte(group>>8), byte(group)
	}
	return 16
}

// wasiResolve begins to look up a name.
//
//go:linkname wasiResolve net.wasiResolve
func wasiResolve(name string) (fd int, errno int32) {
	var result wasiResult
	wasi_resolve_addresses(wasiUseNetwork(), unsafe.Pointer(unsafe.StringData(name)), int32(len(name)), unsafe.Pointer(&result))
	if result.isErr() {
		return -1, wasiErrno(result.u8(4))
	}
	stream := result.i32(4)
	fd = wasiAdd(wasiLookup, stream, wasiDropLookup)
	wasiFind(uintptr(fd)).readable = wasi_resolve_subscribe(stream)
	return fd, 0
}

// wasiResolveNext returns the next address of a name as 4 or 16 bytes of ip, and none after the last.
//
//go:linkname wasiResolveNext net.wasiResolveNext
func wasiResolveNext(fd int, ip *[16]byte) (size int, errno int32) {
	d := wasiFind(uintptr(fd))
	if d == nil || d.kind != wasiLookup {
		return 0, wasiEBADF
	}
	var result wasiResult
	wasi_resolve_next_address(d.handle, unsafe.Pointer(&result))
	switch {
	case result.isErr():
		return 0, wasiErrno(result.u8(2))
	case result.u8(2) == 0:
		return 0, 0
	default:
		return wasiAddress(&result, result.u8(4) != 0, 6, ip), 0
	}
}

// wasiRead reads what has arrived. It returns EAGAIN if nothing has, and 0 at the end.
//
//go:linkname wasiRead syscall.wasiRead
func wasiRead(fd int, into []byte) (n int, errno int32) {
	d := wasiFind(uintptr(fd))
	if d == nil {
		return -1, wasiEBADF
	}
	if d.kind == wasiInput && d.input < 0 {
		d.input = wasi_get_stdin()
		d.readable = wasi_input_subscribe(d.input)
	}
	if d.input < 0 {
		return -1, wasiENOTCONN
	}
	if len(into) == 0 {
		return 0, 0
	}
	wasiPutListAt(unsafe.Pointer(&into[0]), uintptr(len(into)))
	var result wasiResult
	wasi_input_read(d.input, uint64(len(into)), unsafe.Pointer(&result))
	if result.isErr() {
		return wasiStreamEnd(&result, 4, 0, wasiECONNRESET)
	}
	if n = int(result.u32(8)); n == 0 {
		return -1, wasiEAGAIN
	}
	return n, 0
}

// wasiWrite writes as much as there is room for. It returns EAGAIN if there is none.
//
//go:linkname wasiWrite syscall.wasiWrite
func wasiWrite(fd int, from []byte) (n int, errno int32) {
	d := wasiFind(uintptr(fd))
	if d == nil || d.kind != wasiSocket {
		return -1, wasiEBADF
	}
	if d.output < 0 {
		return -1, wasiENOTCONN
	}
	if len(from) == 0 {
		return 0, 0
	}
	var result wasiResult
	wasi_output_check_write(d.output, unsafe.Pointer(&result))
	if result.isErr() {
		return wasiStreamEnd(&result, 8, wasiEPIPE, wasiECONNRESET)
	}
	room := result.u64(8)
	if room == 0 {
		return -1, wasiEAGAIN
	}
	// A longer write than there is room for traps.
	if uint64(len(from)) > room {
		from = from[:room]
	}
	wasi_output_write(d.output, unsafe.Pointer(&from[0]), int32(len(from)), unsafe.Pointer(&result))
	if result.isErr() {
		return wasiStreamEnd(&result, 4, wasiEPIPE, wasiECONNRESET)
	}
	return len(from), 0
}

// wasiStreamEnd reads the stream-error of a result. A closed stream is not an error of reading.
func wasiStreamEnd(result *wasiResult, offset uintptr, closed, failed int32) (n int, errno int32) {
	errno = closed
	if result.u8(offset) == 0 {
		wasi_drop_error(result.i32(offset + 4))
		errno = failed
	}
	if errno == 0 {
		return 0, 0
	}
	return -1, errno
}

// wasiShutdown closes one direction of a connection, or both: 0, 1 or 2, the discriminants of shutdown-type.
//
//go:linkname wasiShutdown syscall.wasiShutdown
func wasiShutdown(fd int, how int32) (errno int32) {
	d := wasiFind(uintptr(fd))
	if d == nil || d.kind != wasiSocket {
		return wasiEBADF
	}
	if d.output < 0 {
		return wasiENOTCONN
	}
	var result wasiResult
	wasi_tcp_shutdown(d.handle, how, unsafe.Pointer(&result))
	if result.isErr() {
		return wasiErrno(result.u8(1))
	}
	return 0
}

// wasiClose closes a descriptor. The host requires that pollables are dropped before their streams, and those
// before their socket.
//
//go:linkname wasiClose syscall.wasiClose
func wasiClose(fd int) (errno int32) {
	d := wasiFind(uintptr(fd))
	if d == nil {
		return wasiEBADF
	}
	if d.readable >= 0 {
		wasi_drop_pollable(d.readable)
	}
	if d.writable >= 0 {
		wasi_drop_pollable(d.writable)
	}
	if d.input >= 0 {
		wasi_drop_input(d.input)
	}
	if d.output >= 0 {
		wasi_drop_output(d.output)
	}
	if d.drop != nil {
		d.drop(d.handle)
	}
	*d = wasiDescriptor{kind: wasiFree}
	return 0
}
