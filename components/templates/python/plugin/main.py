"""`kubectl plugin-name [--watch]`: the pods of the namespace, a line `NAME PHASE` each, and with `--watch` a line for each
change.

Modules are imported when the component is built: their files are not there when it runs. So imports stand at the top, and
whatever reads the environment, a file or the network stands in a function.
"""

import argparse
import sys

from plugin import pods
from plugin.cluster import Cluster, ClusterError
from plugin.flags import without_connection_flags


def main() -> int:
    parser = argparse.ArgumentParser(prog="kubectl plugin-name", description="Lists the pods of a namespace.")
    parser.add_argument("-w", "--watch", action="store_true", help="go on with each change")
    # kubectl's own flags, such as -n, are obeyed by kwasm before the plugin starts.
    arguments = parser.parse_args(without_connection_flags(sys.argv[1:]))
    try:
        pods.show(Cluster.from_environment(), arguments.watch, sys.stdout)
    except BrokenPipeError:
        pass  # The reader, such as `head`, has seen enough.
    except ClusterError as error:
        print(f"plugin-name: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
