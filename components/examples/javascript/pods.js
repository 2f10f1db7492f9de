// `kubectl pods`: the pods of the namespace, a line `NAME PHASE` each.
//
// What stands outside of `run` is run when the component is built, where no host answers: it may define, not ask.

import { getEnvironment } from "wasi:cli/environment@0.2.12";
import { exit } from "wasi:cli/exit@0.2.12";
import { getDirectories } from "wasi:filesystem/preopens@0.2.12";

export const run = {
  async run() {
    try {
      for (const pod of await pods()) {
        console.log(`${pod.metadata.name} ${pod.status.phase}`);
      }
    } catch (error) {
      console.error(`pods: ${error.message}`);
      exit({ tag: "err" });
    }
  },
};

async function pods() {
  const { server, namespace } = cluster();
  const response = await fetch(`${server}/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`);
  const answer = await response.json();
  if (!response.ok) {
    throw new Error(answer.message);
  }
  return answer.items;
}

// What the kubeconfig says of the current context, into which kwasm has put what `--context` and `-n` say.
function cluster() {
  const kubeconfig = JSON.parse(readFile(new Map(getEnvironment()).get("KUBECONFIG")));
  const entry = (entries, name) => entries?.find((entry) => entry.name === name);
  const context = entry(kubeconfig.contexts, kubeconfig["current-context"])?.context;
  if (!context) {
    throw new Error("no context is selected");
  }
  const { server } = entry(kubeconfig.clusters, context.cluster).cluster;
  return { server, namespace: context.namespace };
}

// There is no `node:fs` here: files come from WASI, out of the folders that the host has opened.
function readFile(path) {
  for (const [folder, mount] of getDirectories()) {
    if (path.startsWith(`${mount}/`)) {
      const file = folder.openAt({}, path.slice(mount.length + 1), {}, { read: true });
      const [bytes] = file.read(file.stat().size, 0n);
      return new TextDecoder().decode(bytes);
    }
  }
  throw new Error(`${path}: in none of the opened folders`);
}
