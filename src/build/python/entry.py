"""The entry of a component, written by kwasm build: calls a console script as pip's launcher does."""

import encodings.idna  # looked up by its name at the first connection, when nothing can be imported any more
import socket
import sys
import traceback

# urllib3 would open a socket while the component is being built, to find out.
socket.has_ipv6 = False

from wit_world import exports
from wit_world.imports import environment, exit as endings

import MODULE


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
        result = MODULE.FUNCTION()
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
