// Lists pods, and watches them.
//
// The list is that of Kubernetes' own client, its generated part. Its `Watch` needs modules of Node.js: a watch is read by
// `fetch` here.

import { createConfiguration } from "@kubernetes/client-node/dist/gen/configuration.js";
import { ServerConfiguration } from "@kubernetes/client-node/dist/gen/servers.js";
import { ObjectCoreV1Api } from "@kubernetes/client-node/dist/gen/types/ObjectParamAPI.js";

const GONE = 410;

// Prints the pods of the namespace, and with `watch` each change, until the user ends it.
export async function show(cluster, watch, print) {
  const { server, namespace } = cluster;
  const api = new ObjectCoreV1Api(createConfiguration({ baseServer: new ServerConfiguration(server, {}) }));
  do {
    const pods = await api.listNamespacedPod({ namespace }).catch(fail);
    for (const pod of pods.items) {
      print(`${pod.metadata.name} ${phase(pod)}`);
    }
    if (watch) {
      await follow(cluster, pods.metadata.resourceVersion, print);
    }
  } while (watch);
}

// Prints each change since `version`. Ends if the server remembers no changes as old as that: then list again.
async function follow({ server, namespace }, version, print) {
  // The server ends a watch after some minutes, and the next one begins where it ended.
  for (;;) {
    const query = new URLSearchParams({ watch: "true", allowWatchBookmarks: "true", resourceVersion: version });
    const response = await fetch(`${server}/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?${query}`);
    if (response.status === GONE) {
      return;
    }
    if (!response.ok) {
      throw new Error(message(await response.text()));
    }
    for await (const line of lines(response.body)) {
      const { type, object } = JSON.parse(line);
      if (type === "ERROR" && object.code === GONE) {
        return;
      }
      if (type === "ERROR") {
        throw new Error(object.message);
      }
      version = object.metadata.resourceVersion;
      if (type !== "BOOKMARK") {
        print(`${object.metadata.name} ${type === "DELETED" ? "Deleted" : phase(object)}`);
      }
    }
  }
}

async function* lines(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      return;
    }
    text += decoder.decode(value, { stream: true });
    const whole = text.split("\n");
    text = whole.pop();
    yield* whole.filter((line) => line !== "");
  }
}

function phase(pod) {
  return pod.status?.phase ?? "Unknown";
}

// An `ApiException` shows its code, body and headers: of its body, people read the message.
function fail(error) {
  throw typeof error.body === "string" ? new Error(message(error.body)) : error;
}

function message(status) {
  try {
    return JSON.parse(status).message ?? status;
  } catch {
    return status;
  }
}
