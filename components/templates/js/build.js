// Bundles the plugin into one file, of which `kwasm build` makes a component, and its logic into another one for the tests: as
// it is, Kubernetes' client needs Node.js 22.

import { build } from "esbuild";

await build({
  entryPoints: ["src/plugin.js", "src/pods.js"],
  outdir: "build",
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  // What the host provides.
  external: ["wasi:*"],
  // What Node.js provides to Kubernetes' client, by the standards of the web.
  alias: { undici: "./src/web.js", url: "./src/web.js" },
});
