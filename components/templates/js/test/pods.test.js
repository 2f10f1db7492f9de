// Tests against a small API server, without a cluster: `npm test`.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { show } from "../build/pods.js";
import { clusterOf } from "../src/cluster.js";
import { withoutConnectionFlags } from "../src/flags.js";

const pod = (name, phase) => ({ metadata: { name, resourceVersion: "8" }, status: { phase } });
const list = { metadata: { resourceVersion: "7" }, items: [pod("web-0", "Running"), pod("web-1", "Pending")] };
const changes = [
  { type: "MODIFIED", object: pod("web-1", "Running") },
  { type: "DELETED", object: pod("web-0", "Running") },
  { type: "ERROR", object: { kind: "Status", message: "enough", code: 500 } },
];

const server = createServer((request, response) => {
  const [path, query] = request.url.split("?");
  const answer = (code, values) => {
    response.writeHead(code, { "content-type": "application/json" });
    response.end(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
  };
  if (path !== "/api/v1/namespaces/shop/pods") {
    answer(403, [{ kind: "Status", message: "refused", code: 403 }]);
  } else if (query?.includes("watch=true")) {
    assert.ok(query.includes("resourceVersion=7"));
    answer(200, changes);
  } else {
    answer(200, [list]);
  }
});

before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
after(() => server.close().closeAllConnections());

function cluster(namespace) {
  return { server: `http://127.0.0.1:${server.address().port}`, namespace };
}

test("a pod is a line", async () => {
  const printed = [];
  await show(cluster("shop"), false, (line) => printed.push(line));
  assert.deepEqual(printed, ["web-0 Running", "web-1 Pending"]);
});

test("a watch goes on from the list", async () => {
  const printed = [];
  await assert.rejects(show(cluster("shop"), true, (line) => printed.push(line)), { message: "enough" });
  assert.deepEqual(printed, ["web-0 Running", "web-1 Pending", "web-1 Running", "web-0 Deleted"]);
});

test("a refusal is shown by its message", async () => {
  await assert.rejects(show(cluster("other"), false, () => {}), { message: "refused" });
});

test("the kubeconfig names the server and the namespace", () => {
  const kubeconfig = {
    contexts: [{ name: "a", context: { cluster: "b", namespace: "shop" } }],
    clusters: [{ name: "b", cluster: { server: "http://192.0.2.1" } }],
    "current-context": "a",
  };
  assert.deepEqual(clusterOf(JSON.stringify(kubeconfig)), { server: "http://192.0.2.1", namespace: "shop" });
  assert.throws(() => clusterOf("{}"), { message: "no context is selected" });
});

test("flags of kubectl are not the plugin's", () => {
  for (const line of ["-n shop a", "-nshop a", "-n=shop a", "--as x a", "--as=x a", "--disable-compression a"]) {
    assert.deepEqual(withoutConnectionFlags(line.split(" ")), ["a"], line);
  }
  const own = "a -w --watch -- -n x".split(" ");
  assert.deepEqual(withoutConnectionFlags(own), own);
});
