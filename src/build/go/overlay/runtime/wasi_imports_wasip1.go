//go:build wasip1

// The functions of WASI 0.2 that the runtime calls, with the parameters of the canonical ABI's flattening
// (https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md).

package runtime

import (
	"structs"
	"unsafe"
)

//go:wasmimport wasi:cli/exit@0.2.12 exit-with-code
func wasi_exit_with_code(code int32)

//go:wasmimport wasi:cli/stdin@0.2.12 get-stdin
func wasi_get_stdin() int32

//go:wasmimport wasi:clocks/monotonic-clock@0.2.12 subscribe-duration
func wasi_subscribe_duration(ns uint64) int32

//go:wasmimport wasi:io/error@0.2.12 [resource-drop]error
func wasi_drop_error(err int32)

//go:wasmimport wasi:io/poll@0.2.12 [resource-drop]pollable
func wasi_drop_pollable(pollable int32)

//go:wasmimport wasi:io/poll@0.2.12 poll
//go:noescape
func wasi_poll(pollables unsafe.Pointer, count int32, result unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]input-stream.read
//go:noescape
func wasi_input_read(stream int32, size uint64, result unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]input-stream.subscribe
func wasi_input_subscribe(stream int32) int32

//go:wasmimport wasi:io/streams@0.2.12 [resource-drop]input-stream
func wasi_drop_input(stream int32)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.check-write
//go:noescape
func wasi_output_check_write(stream int32, result unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.write
//go:noescape
func wasi_output_write(stream int32, bytes unsafe.Pointer, size int32, result unsafe.Pointer)

//go:wasmimport wasi:io/streams@0.2.12 [method]output-stream.subscribe
func wasi_output_subscribe(stream int32) int32

//go:wasmimport wasi:io/streams@0.2.12 [resource-drop]output-stream
func wasi_drop_output(stream int32)

//go:wasmimport wasi:sockets/instance-network@0.2.12 instance-network
func wasi_instance_network() int32

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 resolve-addresses
//go:noescape
func wasi_resolve_addresses(network int32, name unsafe.Pointer, size int32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 [method]resolve-address-stream.resolve-next-address
//go:noescape
func wasi_resolve_next_address(stream int32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 [method]resolve-address-stream.subscribe
func wasi_resolve_subscribe(stream int32) int32

//go:wasmimport wasi:sockets/ip-name-lookup@0.2.12 [resource-drop]resolve-address-stream
func wasi_drop_resolve(stream int32)

//go:wasmimport wasi:sockets/tcp-create-socket@0.2.12 create-tcp-socket
//go:noescape
func wasi_create_tcp_socket(family int32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.start-connect
//go:noescape
func wasi_tcp_start_connect(socket, network, family, a, b, c, d, e, f, g, h, i, j, k int32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.finish-connect
//go:noescape
func wasi_tcp_finish_connect(socket int32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.local-address
//go:noescape
func wasi_tcp_local_address(socket int32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.shutdown
//go:noescape
func wasi_tcp_shutdown(socket, how int32, result unsafe.Pointer)

//go:wasmimport wasi:sockets/tcp@0.2.12 [method]tcp-socket.subscribe
func wasi_tcp_subscribe(socket int32) int32

//go:wasmimport wasi:sockets/tcp@0.2.12 [resource-drop]tcp-socket
func wasi_drop_tcp_socket(socket int32)

// exit ends the program with an exit code. Preview 1's proc_exit becomes wasi:cli/exit's exit, which only
// distinguishes zero from all others.
func exit(code int32) { wasi_exit_with_code(code & 0xff) }

// wasiResult is the memory into which the host writes a result that is not a single number. Its largest is that
// of tcp-socket.local-address, with 36 bytes. It may be on a goroutine's stack: no stack moves while the host
// is called, since wasiRealloc does not grow it.
type wasiResult struct {
	_     structs.HostLayout
	words [5]uint64
}

func (r *wasiResult) at(offset uintptr) unsafe.Pointer { return add(unsafe.Pointer(&r.words), offset) }
func (r *wasiResult) u8(offset uintptr) uint8          { return *(*uint8)(r.at(offset)) }
func (r *wasiResult) u16(offset uintptr) uint16        { return *(*uint16)(r.at(offset)) }
func (r *wasiResult) u32(offset uintptr) uint32        { return *(*uint32)(r.at(offset)) }
func (r *wasiResult) i32(offset uintptr) int32         { return *(*int32)(r.at(offset)) }
func (r *wasiResult) u64(offset uintptr) uint64        { return *(*uint64)(r.at(offset)) }

// isErr returns whether the host returned a result's error. The discriminant comes first in every result.
func (r *wasiResult) isErr() bool { return r.u8(0) != 0 }

// wasiListMemory is where the host puts the list that the next call returns, and wasiListSize is the number of
// bytes there. A caller sets both right before the call.
var (
	wasiListMemory uintptr
	wasiListSize   uintptr
)

func wasiPutListAt(memory unsafe.Pointer, size uintptr) {
	wasiListMemory, wasiListSize = uintptr(memory), size
}

// wasiRealloc is called by the host for the memory of a list that it returns (the canonical ABI's realloc). It
// runs below the stack of the goroutine that called the host, so it neither allocates nor grows that stack.
//
//go:wasmexport cabi_realloc
//go:nosplit
func wasiRealloc(old, oldSize, align, size int32) int32 {
	if old != 0 || uintptr(uint32(size)) > wasiListSize {
		abort()
	}
	wasiListSize = 0
	return int32(wasiListMemory)
}
