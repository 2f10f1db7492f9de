// `kubectl plugin-name [--watch]`: the pods of the namespace, a line `NAME PHASE` each, and with `--watch` a line for each
// change.
//
// What stands outside of functions is run when the component is built, where no host answers: it may define, not ask.

import { getArguments, getEnvironment } from "wasi:cli/environment@0.2.12";
import { exitWithCode } from "wasi:cli/exit@0.2.12";
import { getDirectories } from "wasi:filesystem/preopens@0.2.12";

import { clusterOf } from "./cluster.js";
import { withoutConnectionFlags } from "./flags.js";
import { show } from "./pods.js";

const USAGE = "usage: kubectl plugin-name [-n NAMESPACE] [-w|--watch]";

export const run = {
  async run() {
    exitWithCode(await main(getArguments().slice(1)));
  },
};

// Returns the exit code. An exception that left `run` would end the plugin without a word.
async function main(given) {
  // kubectl's own flags, such as -n, are obeyed by kwasm before the plugin starts.
  const words = withoutConnectionFlags(given);
  if (words.length === 1 && (words[0] === "-h" || words[0] === "--help")) {
    console.log(USAGE);
    return 0;
  }
  const watch = words.length === 1 && (words[0] === "-w" || words[0] === "--watch");
  if (words.length > 0 && !watch) {
    console.error(USAGE);
    return 2;
  }
  try {
    const kubeconfig = readFile(new Map(getEnvironment()).get("KUBECONFIG") ?? "");
    await show(clusterOf(kubeconfig), watch, (line) => console.log(line));
    return 0;
  } catch (error) {
    // A server's text may hold escape sequences for a terminal. The engine has no \p{Cc}.
    console.error(`plugin-name: ${error.message.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ")}`);
    return 1;
  }
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
  throw new Error(`KUBECONFIG: \`${path}\` is in none of the opened folders`);
}
