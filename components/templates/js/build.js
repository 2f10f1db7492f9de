// Bundles the plugin into one file, of which `kwasm build` makes a component.

import { build } from "esbuild";

await build({
  entryPoints: ["src/plugin.js"],
  outfile: "build/plugin.js",
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  // What the host provides.
  external: ["wasi:*"],
  // What Node.js provides to Kubernetes' client, by the standards of the web.
  alias: { undici: "./src/web.js", url: "./src/web.js" },
});
