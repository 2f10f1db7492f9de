"""`kubectl pods`: the pods of the namespace, a line `NAME PHASE` each.

What stands at the top is run when the component is built, imports too: its files are not there any more when it runs.
"""

import json
import os
import sys
from typing import NoReturn
from urllib.parse import quote, urlsplit

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import outgoing_handler
from wit_world.imports.streams import StreamError_Closed
from wit_world.imports.wasi_http_types import Fields, IncomingBody, OutgoingRequest, Scheme_Http

CHUNK = 256 * 1024


class Run(exports.Run):
    def run(self) -> None:
        try:
            for pod in pods():
                print(pod["metadata"]["name"], pod["status"]["phase"])
        except BrokenPipeError:
            pass  # Whoever reads it, such as `head`, has seen enough.


def pods() -> list[dict]:
    server, namespace = cluster()
    status, body = get(f"{server}/api/v1/namespaces/{quote(namespace, safe='')}/pods")
    answer = json.loads(body)
    if status != 200:
        fail(answer["message"])
    return answer["items"]


def cluster() -> tuple[str, str]:
    """What the kubeconfig says of the current context, into which kwasm has put what `--context` and `-n` say."""
    with open(os.environ["KUBECONFIG"], encoding="utf-8") as file:
        kubeconfig = json.load(file)
    contexts = {entry["name"]: entry["context"] for entry in kubeconfig.get("contexts", [])}
    context = contexts.get(kubeconfig.get("current-context"))
    if context is None:
        fail("no context is selected")
    clusters = {entry["name"]: entry["cluster"] for entry in kubeconfig["clusters"]}
    return clusters[context["cluster"]]["server"], context["namespace"]


def get(url: str) -> tuple[int, bytes]:
    parts = urlsplit(url)
    request = OutgoingRequest(Fields())
    request.set_scheme(Scheme_Http())
    request.set_authority(parts.netloc)
    request.set_path_with_query(parts.path)

    future = outgoing_handler.handle(request, None)
    future.subscribe().block()
    match future.get():
        case Ok(Ok(response)):
            return response.status(), read(response.consume())
        case Ok(Err(reason)):
            fail(f"{url}: {reason}")


def read(body: IncomingBody) -> bytes:
    chunks = []
    # A stream has to be gone before its body is.
    with body.stream() as stream:
        while True:
            try:
                chunks.append(stream.blocking_read(CHUNK))
            except Err as error:
                if isinstance(error.value, StreamError_Closed):
                    return b"".join(chunks)
                fail(f"the answer broke off: {error.value}")


def fail(why: str) -> NoReturn:
    """Ends the plugin with 1, which is all that `sys.exit` can say besides 0."""
    sys.exit(f"pods: {why}")
