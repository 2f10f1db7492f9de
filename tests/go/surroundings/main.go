// surroundings prints one property of the program's environment. The first argument names it.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: surroundings PROPERTY [ARG...]")
		os.Exit(2)
	}
	properties := map[string]func([]string){
		"exit": exit, "host": host, "user": account, "exec": program, "zone": zone, "terminal": terminal,
		"signal": signals, "look-up": lookUp, "dial": dial, "listen": listen, "file": file, "write": write,
		"stdin": stdin, "depth": depth, "half-close": halfClose, "cancel": cancel, "many": many,
	}
	property, ok := properties[os.Args[1]]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such property:", os.Args[1])
		os.Exit(2)
	}
	property(os.Args[2:])
}

func argument(arguments []string, index int, otherwise string) string {
	if index < len(arguments) {
		return arguments[index]
	}
	return otherwise
}

func number(arguments []string, index, otherwise int) int {
	parsed, err := strconv.Atoi(argument(arguments, index, strconv.Itoa(otherwise)))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return parsed
}

func exit(arguments []string) { os.Exit(number(arguments, 0, 7)) }

func host([]string) {
	name, err := os.Hostname()
	fmt.Println(name, err)
}

func account([]string) {
	current, err := user.Current()
	if err != nil {
		fmt.Println(err)
		return
	}
	home, err := os.UserHomeDir()
	fmt.Println(current.Username != "", current.HomeDir, home, err)
}

func program(arguments []string) {
	name := argument(arguments, 0, "kubectl")
	err := exec.Command(name, "version").Run()
	fmt.Println(err, errors.Is(err, exec.ErrNotFound))
}

func zone([]string) {
	at := time.Date(2026, time.July, 1, 12, 0, 0, 0, time.UTC)
	fmt.Println(at.Local().Format(time.RFC3339))
}

func terminal([]string) {
	for _, stream := range []*os.File{os.Stdin, os.Stdout, os.Stderr} {
		info, err := stream.Stat()
		fmt.Println(stream.Name(), err == nil && info.Mode()&fs.ModeCharDevice != 0)
	}
}

// signals waits for a signal that does not come, beside a timer and by itself.
func signals([]string) {
	received := make(chan os.Signal, 1)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(received)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGHUP)
	defer stop()
	select {
	case <-received:
		fmt.Println("a signal")
	case <-ctx.Done():
		fmt.Println("cancelled")
	case <-time.After(300 * time.Millisecond):
		fmt.Println("no signal")
	}
}

func lookUp(arguments []string) {
	for _, name := range arguments {
		begun := time.Now()
		addresses, err := net.LookupHost(name)
		var failure *net.DNSError
		if errors.As(err, &failure) {
			fmt.Println(name, "not found:", failure.IsNotFound)
		} else {
			fmt.Println(name, addresses, err)
		}
		if _, err := net.LookupTXT(name); err == nil || time.Since(begun) > 5*time.Second {
			fmt.Println("a TXT record, or a wait:", err)
		}
	}
}

func dial(arguments []string) {
	for _, address := range arguments {
		conn, err := net.DialTimeout("tcp", address, 3*time.Second)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("connected to", conn.RemoteAddr(), "from", conn.LocalAddr() != nil)
		fmt.Println(conn.(*net.TCPConn).SetKeepAlive(true), conn.(*net.TCPConn).SetNoDelay(true))
		fmt.Println(conn.Close(), conn.Close() != nil)
	}
}

// listen serves one connection to itself, by each spelling of the address.
func listen([]string) {
	for _, at := range []string{"127.0.0.1:0", ":0", "localhost:0"} {
		listener, err := net.Listen("tcp", at)
		if err != nil {
			fmt.Println(at, err)
			continue
		}
		go func() {
			conn, err := listener.Accept()
			if err == nil {
				io.WriteString(conn, "hello")
				conn.Close()
			}
		}()
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err != nil {
			fmt.Println(at, err)
			continue
		}
		all, err := io.ReadAll(conn)
		fmt.Println(at, string(all), err)
		listener.Close()
	}
}

func file(arguments []string) {
	for _, path := range arguments {
		content, err := os.ReadFile(path)
		info, statErr := os.Stat(path)
		directory := statErr == nil && info.IsDir()
		fmt.Println(path, len(content) > 0, directory, errors.Is(err, fs.ErrNotExist), errors.Is(statErr, fs.ErrNotExist))
	}
}

func write(arguments []string) {
	path := argument(arguments, 0, filepath.Join(os.Getenv("HOME"), ".kube", "cache", "x"))
	err := os.MkdirAll(filepath.Dir(path), 0o750)
	if err == nil {
		err = os.WriteFile(path, []byte("x"), 0o600)
	}
	fmt.Println(err)
}

// stdin reads all of standard input while a goroutine ticks.
func stdin([]string) {
	ticks := 0
	go func() {
		for range time.Tick(20 * time.Millisecond) {
			ticks++
		}
	}()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		fmt.Println("read", strings.ToUpper(lines.Text()), ticks > 0)
	}
	fmt.Println("end", lines.Err())
}

// depth recurses, in Go and through a panic at the bottom.
func depth(arguments []string) {
	deep := number(arguments, 0, 100_000)
	defer func() { fmt.Println(recover()) }()
	fmt.Println(sum(deep, func(i int) int { return i & 1 }))
	sum(deep, func(i int) int {
		if i == 0 {
			panic("at the bottom")
		}
		return 0
	})
}

func sum(n int, of func(int) int) int {
	var local [8]int
	local[n&7] = of(n)
	if n == 0 {
		return local[0]
	}
	return local[n&7] + sum(n-1, of)
}

// halfClose sends a request, closes that direction and reads the answer.
func halfClose(arguments []string) {
	address := argument(arguments, 0, "192.0.2.1:80")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /version HTTP/1.0\r\nHost: %s\r\n\r\n", address)
	fmt.Println(conn.(*net.TCPConn).CloseWrite())
	answer, err := io.ReadAll(conn)
	fmt.Println(strings.SplitN(string(answer), "\r\n", 2)[0], err)
	_, err = conn.Write([]byte("x"))
	fmt.Println("a write fails:", err != nil)
}

// cancel dials with a context that is over, and reads after a deadline.
func cancel(arguments []string) {
	address := argument(arguments, 0, "192.0.2.1:80")
	ctx, stop := context.WithCancel(context.Background())
	stop()
	_, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	fmt.Println("cancelled:", errors.Is(err, context.Canceled))
	conn, err := net.Dial("tcp", address)
	if err != nil {
		fmt.Println(err)
		return
	}
	conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	_, err = conn.Read(make([]byte, 1))
	fmt.Println("deadline:", errors.Is(err, os.ErrDeadlineExceeded))
	go func() {
		time.Sleep(50 * time.Millisecond)
		conn.Close()
	}()
	conn.SetReadDeadline(time.Time{})
	_, err = conn.Read(make([]byte, 1))
	fmt.Println("closed:", errors.Is(err, net.ErrClosed))
}

// many keeps as many connections open as the host allows, and closes them.
func many(arguments []string) {
	address, most := argument(arguments, 0, "192.0.2.1:80"), number(arguments, 1, 1000)
	for range 2 {
		var open []net.Conn
		var err error
		for len(open) < most {
			var conn net.Conn
			if conn, err = net.Dial("tcp", address); err != nil {
				break
			}
			open = append(open, conn)
		}
		fmt.Println(len(open), "connections,", err)
		for _, conn := range open {
			conn.Close()
		}
	}
}
