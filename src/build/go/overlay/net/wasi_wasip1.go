//go:build wasip1

// TCP connections and names by wasi:sockets. Listeners stay those of net_fake.go, which only this program can
// connect to.

package net

import (
	"context"
	"errors"
	"internal/poll"
	"os"
	"syscall"
)

func wasiSocketCreate(family int32) (fd int, errno int32)
func wasiSocketConnect(fd int, family int32, address *[11]int32) (errno int32)
func wasiSocketConnected(fd int) (errno int32)
func wasiSocketAddress(fd int, ip *[16]byte) (size, port int, errno int32)
func wasiResolve(name string) (fd int, errno int32)
func wasiResolveNext(fd int, ip *[16]byte) (size int, errno int32)

// The discriminants of ip-address-family and ip-socket-address.
const (
	wasiIPv4 = 0
	wasiIPv6 = 1
)

// ownListener returns the address at which this program listens itself, if a connection to raddr reaches it.
func ownListener(family int, raddr sockaddr) (int, sockaddr, bool) {
	if _, ok := sockets.Load(fakeAddr(raddr)); ok {
		return family, raddr, true
	}
	to, ok := raddr.(*TCPAddr)
	if !ok || !to.IP.IsLoopback() {
		return family, raddr, false
	}
	// A listener on all addresses has one of these two.
	for _, all := range []*TCPAddr{{IP: IPv6unspecified, Port: to.Port}, {IP: IPv4zero.To4(), Port: to.Port}} {
		if _, ok := sockets.Load(fakeAddr(all)); ok {
			return all.family(), all, true
		}
	}
	return family, raddr, false
}

// wasiDial connects to raddr.
func wasiDial(ctx context.Context, network string, laddr sockaddr, raddr *TCPAddr) (*netFD, error) {
	if local, ok := laddr.(*TCPAddr); ok && local != nil && (local.Port != 0 || !local.isWildcard()) {
		return nil, os.NewSyscallError("bind", syscall.ENOTSUP)
	}
	family := wasiIPv4
	if raddr.IP.To4() == nil {
		family = wasiIPv6
	}
	sysfd, errno := wasiSocketCreate(int32(family))
	if errno != 0 {
		return nil, os.NewSyscallError("socket", syscall.Errno(errno))
	}
	fd := newPollFD(network, poll.FD{Sysfd: sysfd, IsStream: true, ZeroReadIsEOF: true})
	fd.sotype, fd.family = syscall.SOCK_STREAM, raddr.family()
	if err := fd.init(); err != nil {
		poll.CloseFunc(sysfd)
		return nil, err
	}
	if err := fd.wasiConnect(ctx, family, raddr); err != nil {
		fd.Close()
		return nil, err
	}
	fd.isConnected = true
	fd.setAddr(wasiLocalAddr(sysfd), raddr)
	return fd, nil
}

// wasiConnect connects a socket before the context's deadline, unless the context is cancelled first.
func (fd *netFD) wasiConnect(ctx context.Context, family int, raddr *TCPAddr) (err error) {
	address := wasiFlatAddress(family, raddr)
	if errno := wasiSocketConnect(fd.pfd.Sysfd, int32(family), &address); errno != 0 {
		return os.NewSyscallError("connect", syscall.Errno(errno))
	}
	if deadline, ok := ctx.Deadline(); ok {
		fd.pfd.SetWriteDeadline(deadline)
		defer fd.pfd.SetWriteDeadline(noDeadline)
	}
	if ctx.Done() != nil {
		// A cancelled context wakes the wait below by a deadline in the past. The last deadline set is none.
		finished, stopped := make(chan struct{}), make(chan struct{})
		defer func() {
			close(finished)
			<-stopped
			fd.pfd.SetWriteDeadline(noDeadline)
			if err == nil && ctx.Err() != nil {
				err = mapErr(ctx.Err())
			}
		}()
		go func() {
			defer close(stopped)
			select {
			case <-ctx.Done():
				fd.pfd.SetWriteDeadline(aLongTimeAgo)
			case <-finished:
			}
		}()
	}
	for {
		errno := syscall.Errno(wasiSocketConnected(fd.pfd.Sysfd))
		if errno == 0 {
			return nil
		}
		if errno != syscall.EAGAIN {
			return os.NewSyscallError("connect", errno)
		}
		if err := fd.pfd.WaitWrite(); err != nil {
			if ctx.Err() != nil {
				return mapErr(ctx.Err())
			}
			return err
		}
	}
}

// wasiFlatAddress returns an ip-socket-address as flat parameters: the port and four bytes, or the port, flow
// information, eight groups and the scope.
func wasiFlatAddress(family int, addr *TCPAddr) (flat [11]int32) {
	flat[0] = int32(addr.Port)
	if family == wasiIPv4 {
		for i, octet := range addr.IP.To4() {
			flat[1+i] = int32(octet)
		}
		return flat
	}
	ip := addr.IP.To16()
	for i := 0; i+1 < len(ip); i += 2 {
		flat[2+i/2] = int32(ip[i])<<8 | int32(ip[i+1])
	}
	// There are no names of interfaces.
	if scope, _, ok := dtoi(addr.Zone); ok {
		flat[10] = int32(scope)
	}
	return flat
}

func wasiLocalAddr(sysfd int) Addr {
	var ip [16]byte
	size, port, errno := wasiSocketAddress(sysfd, &ip)
	if errno != 0 {
		return &TCPAddr{IP: IPv4zero}
	}
	return &TCPAddr{IP: append(IP(nil), ip[:size]...), Port: port}
}

var errNoResolver = errors.New("a WebAssembly plugin can only look up addresses")

// wasiLookupIP returns the addresses of a name: the loopback addresses, those of /etc/hosts if it was granted,
// or the host's.
func wasiLookupIP(network, name string) (addrs []IPAddr, err error) {
	var found []IP
	if isLocalhost(name) {
		found = []IP{IPv4(127, 0, 0, 1), IPv6loopback}
	} else if static, _ := lookupStaticHost(name); len(static) > 0 {
		for _, text := range static {
			found = append(found, ParseIP(text))
		}
	} else if found, err = wasiResolveAll(name); err != nil {
		return nil, err
	}
	for _, ip := range found {
		v4 := ip.To4() != nil
		switch last := network[len(network)-1]; {
		case ip == nil, last == '4' && !v4, last == '6' && v4:
		default:
			addrs = append(addrs, IPAddr{IP: ip})
		}
	}
	if len(addrs) == 0 {
		return nil, newDNSError(errNoSuchHost, name, "")
	}
	return addrs, nil
}

func wasiResolveAll(name string) (found []IP, err error) {
	sysfd, errno := wasiResolve(name)
	if errno != 0 {
		return nil, wasiLookupError(errno, name)
	}
	fd := poll.FD{Sysfd: sysfd}
	if err := fd.Init("tcp", true); err != nil {
		poll.CloseFunc(sysfd)
		return nil, newDNSError(err, name, "")
	}
	defer fd.Close()
	for {
		var ip [16]byte
		var size int
		var errno int32
		err := fd.RawRead(func(uintptr) bool {
			size, errno = wasiResolveNext(sysfd, &ip)
			return syscall.Errno(errno) != syscall.EAGAIN
		})
		switch {
		case err != nil:
			return nil, newDNSError(err, name, "")
		case errno != 0 && len(found) == 0:
			return nil, wasiLookupError(errno, name)
		case errno != 0 || size == 0:
			return found, nil
		}
		found = append(found, append(IP(nil), ip[:size]...))
	}
}

func wasiLookupError(errno int32, name string) error {
	switch code := syscall.Errno(errno); code {
	case syscall.ENOENT, syscall.EACCES, syscall.EINVAL:
		return newDNSError(errNoSuchHost, name, "")
	default:
		return newDNSError(code, name, "")
	}
}
