"""Tests against a small API server, without a cluster: `python3 -m unittest`."""

import io
import json
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from plugin import pods
from plugin.cluster import Cluster, ClusterError
from plugin.flags import without_connection_flags


def pod(name: str, phase: str) -> dict:
    return {"metadata": {"name": name, "resourceVersion": "8"}, "status": {"phase": phase}}


LIST = {"metadata": {"resourceVersion": "7"}, "items": [pod("web-0", "Running"), pod("web-1", "Pending")]}
CHANGES = [
    {"type": "MODIFIED", "object": pod("web-1", "Running")},
    {"type": "DELETED", "object": pod("web-0", "Running")},
    {"type": "ERROR", "object": {"kind": "Status", "message": "enough", "code": 500}},
]


class ApiServer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path != "/api/v1/namespaces/shop/pods":
            self.answer(403, [{"kind": "Status", "message": "refused", "code": 403}])
        elif "watch=true" in query:
            assert "resourceVersion=7" in query
            self.answer(200, CHANGES)
        else:
            self.answer(200, [LIST])

    def answer(self, code: int, lines: list[dict]) -> None:
        self.send_response(code)
        self.end_headers()
        for line in lines:
            self.wfile.write(json.dumps(line).encode() + b"\n")

    def log_message(self, *_: object) -> None:
        pass


class Pods(unittest.TestCase):
    def setUp(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), ApiServer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def cluster(self, namespace: str) -> Cluster:
        return Cluster(f"http://127.0.0.1:{self.server.server_port}", namespace)

    def test_a_pod_is_a_line(self) -> None:
        out = io.StringIO()
        pods.show(self.cluster("shop"), False, out)
        self.assertEqual(out.getvalue(), "web-0 Running\nweb-1 Pending\n")

    def test_a_watch_goes_on_from_the_list(self) -> None:
        out = io.StringIO()
        with self.assertRaisesRegex(ClusterError, "enough"):
            pods.show(self.cluster("shop"), True, out)
        self.assertEqual(out.getvalue(), "web-0 Running\nweb-1 Pending\nweb-1 Running\nweb-0 Deleted\n")

    def test_a_refusal_is_shown_by_its_message(self) -> None:
        with self.assertRaisesRegex(ClusterError, "^refused$"):
            pods.show(self.cluster("other"), False, io.StringIO())


class Flags(unittest.TestCase):
    def test_flags_of_kubectl_are_not_the_plugins(self) -> None:
        for line in ["-n shop a", "-nshop a", "-n=shop a", "--as x a", "--as=x a", "--disable-compression a"]:
            self.assertEqual(without_connection_flags(line.split()), ["a"], line)
        self.assertEqual(without_connection_flags("a -w --watch -- -n x".split()), "a -w --watch -- -n x".split())
