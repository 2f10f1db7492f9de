"""Lists pods, and watches them."""

from typing import TextIO

from plugin.cluster import Cluster, ClusterError

GONE = 410


def show(cluster: Cluster, watch: bool, out: TextIO) -> None:
    """Prints the pods of the namespace, and with `watch` each change, until the user ends it."""
    while True:
        pods = cluster.get(cluster.path("pods"))
        for pod in pods["items"]:
            _print(pod, _phase(pod), out)
        if not watch:
            return
        _follow(cluster, pods["metadata"]["resourceVersion"], out)


def _follow(cluster: Cluster, version: str, out: TextIO) -> None:
    """Prints each change since a version. Ends if the server remembers no changes as old as that: then list again."""
    while True:
        # The server ends a watch after some minutes, and the next one begins where it ended.
        try:
            for event in cluster.watch(cluster.path("pods"), resourceVersion=version):
                pod = event["object"]
                if event["type"] == "ERROR":
                    raise ClusterError(pod.get("message", "the watch failed"), pod.get("code"))
                version = pod["metadata"]["resourceVersion"]
                if event["type"] != "BOOKMARK":
                    _print(pod, "Deleted" if event["type"] == "DELETED" else _phase(pod), out)
        except ClusterError as error:
            if error.code == GONE:
                return
            raise


def _print(pod: dict, phase: str, out: TextIO) -> None:
    # A change is seen when it happens, behind a pipe too.
    print(pod["metadata"]["name"], phase, file=out, flush=True)


def _phase(pod: dict) -> str:
    return pod.get("status", {}).get("phase", "Unknown")
