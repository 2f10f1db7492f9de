// Finds kubectl's connection flags among a plugin's arguments.

const VALUED = new Set([
  "--as",
  "--as-group",
  "--as-uid",
  "--as-user-extra",
  "--cluster",
  "--context",
  "--namespace",
  "--request-timeout",
  "--server",
  "--tls-server-name",
  "--user",
]);
const SHORT = ["-n", "-s"];
const TRUTHS = new Set(["--disable-compression", "--insecure-skip-tls-verify"]);

// Returns the plugin's own arguments: all but kubectl's connection flags before the first `--`. kwasm has already applied
// these flags; it leaves those that hold no secret and no path, so a plugin has to accept them.
export function withoutConnectionFlags(given) {
  const kept = [];
  for (let at = 0; at < given.length; at += 1) {
    const [name, ...joined] = given[at].split("=");
    if (name === "--" && joined.length === 0) {
      return [...kept, ...given.slice(at)];
    }
    if (VALUED.has(name) || SHORT.includes(name)) {
      at += joined.length > 0 ? 0 : 1;
    } else if (!TRUTHS.has(name) && !isJoined(given[at])) {
      kept.push(given[at]);
    }
  }
  return kept;
}

// `-nshop` is `-n shop`.
function isJoined(argument) {
  return !argument.startsWith("--") && SHORT.some((short) => argument.startsWith(short));
}
