"""Finds kubectl's connection flags among a plugin's arguments."""

from collections.abc import Iterable

VALUED = {
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
}
SHORT = ("-n", "-s")
TRUTHS = {"--disable-compression", "--insecure-skip-tls-verify"}


def without_connection_flags(arguments: Iterable[str]) -> list[str]:
    """Returns the plugin's own arguments: all but kubectl's connection flags before the first `--`.

    kwasm has already applied these flags; it leaves those that hold no secret and no path, so a plugin has to accept them.
    """
    kept = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            return [*kept, argument, *rest]
        name, joined, _ = argument.partition("=")
        if name in TRUTHS or (joined and name in VALUED):
            continue
        if argument in VALUED or argument in SHORT:
            next(rest, None)
        elif argument.startswith("--") or not argument.startswith(SHORT):
            kept.append(argument)
    return kept
