"""The entry of a component, written by kwasm build: calls a console script as pip's launcher does."""

import dis
import gc
import importlib.util
import operator
import socket
import sys
import traceback
from collections.abc import Iterator
from types import CodeType, FunctionType

# urllib3 would open a socket while the component is being built, to find out.
socket.has_ipv6 = False

from wit_world import exports
from wit_world.imports import environment, exit as endings

# The names of this module stay its own, whatever the script's are.
SCRIPT = operator.attrgetter("FUNCTION")(importlib.import_module("MODULE"))

# Nothing can be imported when the component runs: no file is there any more. These are imported by code that is not Python's.
BY_NAME = ("_strptime", "encodings.ascii", "encodings.idna", "encodings.latin_1", "encodings.utf_8_sig")

# Imported by the standard library for its self-tests and debuggers, which no plugin runs.
TOOLS = {"_pyrepl", "asyncio", "code", "doctest", "ftplib", "multiprocessing", "pdb", "pydoc", "test", "tkinter", "unittest"}


class Run(exports.Run):
    def run(self) -> None:
        sys.argv = environment.get_arguments()
        code = call()
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                # No one reads it any more.
                pass
        endings.exit_with_code(code)


def call() -> int:
    """Returns the exit code, as CPython has it."""
    try:
        result = SCRIPT()
    except SystemExit as ending:
        result = ending.code
    except BaseException:
        traceback.print_exc()
        return 1
    if result is None:
        return 0
    if isinstance(result, int):
        return result & 0xFF
    print(result, file=sys.stderr)
    return 1


def import_the_rest() -> None:
    """Imports what the imported modules import only when a function is called, as argparse does for its messages."""
    for name in [*BY_NAME, *imported_later()]:
        try:
            importlib.import_module(name)
        except Exception:
            # For another system, or not to be had in a component: whoever imports it when it runs is told so.
            pass


def imported_later() -> set[str]:
    """Returns the names of what functions import."""
    functions = [each for each in gc.get_objects() if isinstance(each, FunctionType)]
    pending = [(each.__code__, each.__globals__) for each in functions]
    found = set()
    while pending:
        code, module = pending.pop()
        pending.extend((inner, module) for inner in code.co_consts if isinstance(inner, CodeType))
        is_standard = str(module.get("__name__")).partition(".")[0] in sys.stdlib_module_names
        for level, names, name in imports(code):
            try:
                # `from ..a import b` in x.y.z imports x.a, or x.a.b.
                name = importlib.util.resolve_name("." * level + name, module.get("__package__")) if level else name
            except ImportError:
                # In a module that is in no package, for one that may be.
                continue
            if not (is_standard and name.partition(".")[0] in TOOLS):
                found.update([name, *(f"{name}.{part}" for part in names or ())])
    return found


def imports(code: CodeType) -> Iterator[tuple[int, tuple[str, ...] | None, str]]:
    """Yields level, names and module of each import of a function."""
    steps = [(step.opname, step.argval) for step in dis.get_instructions(code)]
    for (_, level), (_, names), (operation, name) in zip(steps, steps[1:], steps[2:]):
        if operation == "IMPORT_NAME":
            yield level, names, name


import_the_rest()
