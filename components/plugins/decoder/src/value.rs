//! One value of a secret, shown.

use crate::certificate;
use crate::hexdump::hexdump;
use crate::pem::{self, Block, Piece};
use crate::style::{Colour, Style};
use kube_guest::{Timestamp, for_terminal_line};

/// Shows a value; the text ends with a newline, whether the value does or not.
pub(crate) fn show(value: &[u8], explain_certificates: bool, now: Timestamp, style: Style) -> String {
    if value.is_empty() {
        return aside("empty", style);
    }
    // A text has no NUL: what has one is for programs.
    match str::from_utf8(value) {
        Ok(text) if !text.contains('\0') => show_text(text, explain_certificates, now, style),
        _ => {
            let bytes = if value.len() == 1 { "byte" } else { "bytes" };
            aside(&format!("binary, {} {bytes}", value.len()), style) + &hexdump(value)
        }
    }
}

fn show_text(text: &str, explain_certificates: bool, now: Timestamp, style: Style) -> String {
    let pieces = pem::split(text);
    let blocks = pieces.iter().filter(|piece| matches!(piece, Piece::Block(_))).count();
    let mut shown = String::new();
    let mut number = 0;
    for piece in &pieces {
        match piece {
            Piece::Text(text) => shown.push_str(&style.value(text)),
            Piece::Block(block) => {
                number += 1;
                let place = if blocks > 1 { format!(" {number} of {blocks}") } else { String::new() };
                shown.push_str(&show_block(block, &place, explain_certificates, now, style));
            }
        }
        if !shown.ends_with('\n') {
            shown.push('\n');
        }
    }
    shown
}

fn show_block(
    block: &Block<'_>,
    place: &str,
    explain_certificates: bool,
    now: Timestamp,
    style: Style,
) -> String {
    let raw = style.value(block.raw);
    if !is_certificate(block.label) {
        return aside(&format!("PEM block{place}: {}", for_terminal_line(block.label)), style) + &raw;
    }
    if !explain_certificates {
        return raw.into_owned();
    }
    let explained = match block.der() {
        Some(der) => certificate::explain(&der, now, style),
        None => Err("not base64".to_owned()),
    };
    match explained {
        Ok(explained) => aside(&format!("certificate{place}"), style) + &explained,
        Err(why) => aside(&format!("certificate{place}, which cannot be read: {why}"), style) + &raw,
    }
}

/// Returns whether a label is that of a certificate. RFC 7468, section 5, defines one; OpenSSL writes the
/// others too.
fn is_certificate(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE")
}

fn aside(text: &str, style: Style) -> String {
    style.paint(Colour::Aside, &format!("({text})")) + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPE: Style = Style { colours: false, terminal: false, width: 80 };
    const TERMINAL: Style = Style { terminal: true, ..PIPE };

    fn shown(value: &[u8], style: Style) -> String {
        show(value, true, Timestamp::from_seconds(0), style)
    }

    #[test]
    fn text_is_text_and_ends_its_line() {
        assert_eq!(shown(b"hunter2", PIPE), "hunter2\n");
        assert_eq!(shown(b"hunter2\n", PIPE), "hunter2\n");
        assert_eq!(shown(b"", PIPE), "(empty)\n");
    }

    #[test]
    fn a_terminal_is_not_driven() {
        assert_eq!(shown(b"\x1b]0;owned\x07", TERMINAL), "\\x1b]0;owned\\x07\n");
        assert_eq!(shown(b"\x1b[1m", PIPE), "\x1b[1m\n");
    }

    #[test]
    fn bytes_are_dumped() {
        assert!(shown(b"\xff", PIPE).starts_with("(binary, 1 byte)\n00000000  ff "));
        assert!(shown(b"a\0b", PIPE).starts_with("(binary, 3 bytes)\n00000000  61 00 62 "));
    }

    #[test]
    fn a_private_key_is_named_and_shown() {
        let key = "-----BEGIN EC PRIVATE KEY-----\nAQID\n-----END EC PRIVATE KEY-----\n";
        assert_eq!(shown(key.as_bytes(), PIPE), format!("(PEM block: EC PRIVATE KEY)\n{key}"));
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_shown_with_the_reason() {
        let bad = "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----";
        let two = shown(format!("{bad}\n{bad}").as_bytes(), PIPE);
        assert!(
            two.starts_with("(certificate 1 of 2, which cannot be read: not base64)\n-----BEGIN"),
            "{two}"
        );
        assert!(two.contains("(certificate 2 of 2, "), "{two}");
        assert!(two.ends_with("-----END CERTIFICATE-----\n"), "{two}");
        assert_eq!(show(bad.as_bytes(), false, Timestamp::from_seconds(0), PIPE), format!("{bad}\n"));
    }
}
