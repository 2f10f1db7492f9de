//! Texts of certificates, as far as they are shown, and hints for more than one fault.

use x509_parser::prelude::X509Name;

/// A problem and a hint.
pub(super) type Explanation = (String, &'static str);

/// The longest text from a certificate that is shown, in characters.
const LONGEST: usize = 100;

pub(super) const NAMELESS: &str =
    "ask the cluster's administrator to give it a certificate with subjectAltName";

/// Returns a distinguished name, as far as it is shown.
pub(super) fn subject(name: &X509Name<'_>) -> String {
    match clean(&name.to_string()) {
        empty if empty.is_empty() => "without a subject".to_owned(),
        text => text,
    }
}

/// Cleans an untrusted text: at most one line, without control characters.
pub(super) fn clean(text: &str) -> String {
    let shown = text.chars().take(LONGEST);
    let mut clean: String = shown.map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        clean.push('…');
    }
    clean
}
