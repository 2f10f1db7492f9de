"""Requests to the cluster, by the standard library.

The official client (`kubernetes` on PyPI) cannot be used: it imports `ssl` and packages with native code, which a component
does not have.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, urlencode


class ClusterError(Exception):
    """Why the cluster gave no usable answer, with the status code if it answered."""

    def __init__(self, message: str, code: int | None = None) -> None:
        # A server's text may hold escape sequences for a terminal.
        super().__init__("".join(c if c.isprintable() else " " for c in message))
        self.code = code


@dataclass(frozen=True)
class Cluster:
    """The API server and the namespace that the user chose.

    kwasm has put both into the kubeconfig, which is JSON and holds no credentials: kwasm adds them to each request that the
    plugin's policy allows.
    """

    server: str
    namespace: str

    @classmethod
    def from_environment(cls) -> "Cluster":
        try:
            with open(os.environ["KUBECONFIG"], encoding="utf-8") as file:
                kubeconfig = json.load(file)
        except (KeyError, OSError, ValueError) as error:
            raise ClusterError(f"KUBECONFIG: {error}") from error
        contexts = {entry["name"]: entry["context"] for entry in kubeconfig.get("contexts") or []}
        clusters = {entry["name"]: entry["cluster"] for entry in kubeconfig.get("clusters") or []}
        context = contexts.get(kubeconfig.get("current-context"))
        if context is None:
            raise ClusterError("no context is selected")
        return cls(clusters[context["cluster"]]["server"], context.get("namespace") or "default")

    def path(self, resource: str) -> str:
        """Returns the path of a core resource in the namespace."""
        return f"/api/v1/namespaces/{quote(self.namespace, safe='')}/{resource}"

    def get(self, path: str, **query: str) -> dict:
        """Gets an object, or a list of objects."""
        with self._open(path, query) as answer:
            return json.load(answer)

    def watch(self, path: str, **query: str) -> Iterator[dict]:
        """Yields the events of a watch as they come, until the server ends it."""
        with self._open(path, {"watch": "true", "allowWatchBookmarks": "true", **query}) as answer:
            for line in answer:
                yield json.loads(line)

    def _open(self, path: str, query: dict[str, str]):
        url = f"{self.server}{path}?{urlencode(query)}"
        request = urllib.request.Request(url, headers={"Accept": "application/json"})
        try:
            return urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            raise ClusterError(_message(error), error.code) from error
        except OSError as error:
            raise ClusterError(f"{url}: {error}") from error


def _message(error: urllib.error.HTTPError) -> str:
    """Returns the message of the `Status` that the API server, or kwasm for it, answers with."""
    try:
        return json.load(error)["message"]
    except (OSError, ValueError, LookupError, TypeError):
        return f"the server answered {error.code}"
