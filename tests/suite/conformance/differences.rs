//! The deliberate differences between kwasm and kubectl, with their reasons. The README beside this file
//! describes them to users.

pub(super) const DASHES: &str = "what follows two dashes is the plugin's own";
pub(super) const EMPTY: &str = "an empty document says nothing, and is passed over";
pub(super) const FLAG: &str = "a flag that is not kubectl's is the plugin's own";
pub(super) const PAST: &str = "no time is less than none";
pub(super) const PLAIN: &str = "a certificate that plain HTTP has no use for is not read";
pub(super) const PORT: &str = "an address has one form, in which it is compared";
pub(super) const PROMPT: &str =
    "kubectl asks for a name and a password where a user has none; a plugin asks as nobody";
pub(super) const USERINFO: &str = "a name before the host of an address is there to mislead (RFC 3986 §7.6)";

/// The differences that no case shows, since the tests' servers use rustls too: rows of the README's table,
/// by the beginning of their first column.
pub(super) const UNSHOWN: [&str; 4] = [
    "a key of RSA below 2048 bits",
    "a server of TLS 1.2 that has CBC ciphers alone",
    "a server's certificate for any purpose",
    "a server's certificate that is a CA's",
];
