//! One value of a secret, shown.

use crate::certificate::{self, Summary};
use crate::hexdump::hexdump;
use crate::pem::{self, Block, Piece};
use crate::{keystore, login, token};
use kube_guest::{Timestamp, for_terminal_line};
use plugin_kit::{Colour, Style};

/// How values are shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// Whether certificates are explained.
    pub(crate) certificates: bool,
    /// Whether anything is.
    pub(crate) explains: bool,
    pub(crate) now: Timestamp,
    pub(crate) style: Style,
}

/// A value, as it is shown.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// It ends with a newline, whether the value does or not.
    pub(crate) text: String,
    /// What expires soon or has expired, each as `what: why`.
    pub(crate) warnings: Vec<String>,
    /// The certificates in it.
    pub(crate) certificates: Vec<Summary>,
}

impl Shown {
    fn text(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

/// Shows the value of a key.
pub(crate) fn show(key: &str, value: &[u8], view: View) -> Shown {
    if value.is_empty() {
        return Shown::text(aside("empty", view.style));
    }
    // A text has no NUL: what has one is for programs.
    match str::from_utf8(value) {
        Ok(text) if !text.contains('\0') => show_text(key, text, view),
        _ => show_bytes(value, view),
    }
}

fn show_bytes(value: &[u8], view: View) -> Shown {
    let bytes = match value.len() {
        1 => "1 byte".to_owned(),
        number => format!("{number} bytes"),
    };
    if view.explains
        && let Some(name) = keystore::name(value)
    {
        let text = format!("{name}, {bytes}, not decoded; --raw dumps it");
        return Shown::text(aside(&text, view.style));
    }
    if view.explains
        && view.certificates
        && let Ok(explained) = certificate::explain(value, view.now, view.style)
    {
        let mut shown = Shown::text(aside("certificate, DER", view.style));
        shown.add(explained, "");
        return shown;
    }
    Shown::text(aside(&format!("binary, {bytes}"), view.style) + &hexdump(value))
}

fn show_text(key: &str, text: &str, view: View) -> Shown {
    if !view.explains {
        return Shown::text(ended(&view.style.value(text)));
    }
    if login::KEYS.contains(&key)
        && let Some(logins) = login::explain(text, view.style)
    {
        let title = match logins.number {
            1 => "1 login of a registry".to_owned(),
            number => format!("{number} logins of registries"),
        };
        let rest = if logins.has_more { ended(&view.style.value(text)) } else { String::new() };
        return Shown::text(aside(&title, view.style) + &logins.text + &rest);
    }
    if let Some(token) = token::explain(text, view.now, view.style) {
        // Most tokens are made for an hour: only one that has ended is worth a warning.
        let ended_or_early = token.validity.filter(|validity| validity.colour == Colour::Bad);
        let warnings = ended_or_early.map(|validity| validity.word).into_iter().collect();
        let title = aside("token, its signature not verified", view.style);
        let text = title + &token.text + &ended(&view.style.value(text));
        return Shown { text, warnings, ..Shown::default() };
    }
    let pieces = pem::split(text);
    let blocks = pieces.iter().filter(|piece| matches!(piece, Piece::Block(_))).count();
    let mut shown = Shown::default();
    let mut number = 0;
    for piece in &pieces {
        match piece {
            Piece::Text(text) => shown.text.push_str(&view.style.value(text)),
            Piece::Block(block) => {
                number += 1;
                let place = if blocks > 1 { format!(" {number} of {blocks}") } else { String::new() };
                shown.block(block, &place, view);
            }
        }
        if !shown.text.ends_with('\n') {
            shown.text.push('\n');
        }
    }
    shown
}

impl Shown {
    fn block(&mut self, block: &Block<'_>, place: &str, view: View) {
        let raw = view.style.value(block.raw);
        if !is_certificate(block.label) {
            let title = format!("PEM block{place}: {}", for_terminal_line(block.label));
            self.text.push_str(&(aside(&title, view.style) + &raw));
            return;
        }
        if !view.certificates {
            self.text.push_str(&raw);
            return;
        }
        let explained = match block.der() {
            Some(der) => certificate::explain(&der, view.now, view.style),
            None => Err("not base64".to_owned()),
        };
        match explained {
            Ok(explained) => {
                self.text.push_str(&aside(&format!("certificate{place}"), view.style));
                self.add(explained, place);
            }
            Err(why) => {
                let title = format!("certificate{place}, which cannot be read: {why}");
                self.text.push_str(&(aside(&title, view.style) + &raw));
            }
        }
    }

    fn add(&mut self, explained: certificate::Explained, place: &str) {
        self.text.push_str(&explained.text);
        if !explained.validity.is_fine() {
            self.warnings.push(format!("certificate{place}: {}", explained.validity.word));
        }
        self.certificates.push(explained.summary);
    }
}

/// Returns whether a label is that of a certificate. RFC 7468, section 5, defines one; OpenSSL writes the
/// others too.
fn is_certificate(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE")
}

fn aside(text: &str, style: Style) -> String {
    style.paint(Colour::Aside, &format!("({text})")).into_owned() + "\n"
}

fn ended(text: &str) -> String {
    if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIPE: Style = Style::PLAIN;
    const TERMINAL: Style = Style { terminal: true, ..PIPE };

    fn view(style: Style) -> View {
        View { certificates: true, explains: true, now: Timestamp::from_seconds(0), style }
    }

    fn shown(value: &[u8], style: Style) -> String {
        show("k", value, view(style)).text
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
        let stored = View { certificates: false, ..view(PIPE) };
        assert_eq!(show("k", bad.as_bytes(), stored).text, format!("{bad}\n"));
    }

    #[test]
    fn each_certificate_of_a_chain_is_explained_and_warned_of() {
        let chain =
            [include_str!("../fixtures/server.pem"), include_str!("../fixtures/authority.pem")].concat();
        let late = View { now: Timestamp::parse("2090-01-01T00:00:00Z").unwrap(), ..view(PIPE) };
        let shown = show("tls.crt", chain.as_bytes(), late);
        assert_eq!((shown.certificates.len(), shown.warnings.len()), (2, 2));
        assert!(shown.warnings[1].starts_with("certificate 2 of 2: expired "), "{:?}", shown.warnings);
        let early = View { now: Timestamp::parse("2026-06-01T00:00:00Z").unwrap(), ..late };
        assert!(show("tls.crt", chain.as_bytes(), early).warnings.len() < 2);
    }

    #[test]
    fn a_certificate_in_der_is_one_too() {
        let pieces = pem::split(include_str!("../fixtures/authority.pem"));
        let Piece::Block(block) = &pieces[0] else { panic!() };
        let shown = show("ca.der", &block.der().unwrap(), view(PIPE));
        assert!(shown.text.starts_with("(certificate, DER)\n  Subject:") && shown.certificates.len() == 1);
    }

    #[test]
    fn a_keystore_is_named_and_its_bytes_are_shown_on_request_only() {
        let jks = [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2, 0, 0, 0, 1];
        let text = shown(&jks, PIPE);
        assert!(text.starts_with("(Java keystore (JKS) with 1 entry, 12 bytes, not decoded; "), "{text}");
        assert_eq!(text.lines().count(), 1);
        let raw = show("k", &jks, View { explains: false, ..view(PIPE) }).text;
        assert!(raw.starts_with("(binary, 12 bytes)\n00000000  fe ed"), "{raw}");
    }

    #[test]
    fn logins_are_explained_by_their_key_only() {
        let text = br#"{"auths":{"registry.example":{"auth":"cm9ib3Q6cA=="}}}"#;
        let explained = show(".dockerconfigjson", text, view(PIPE)).text;
        assert!(explained.starts_with("(1 login of a registry)\n  Registry:            registry.example\n"));
        assert_eq!(show("other", text, view(PIPE)).text.as_bytes(), [&text[..], b"\n"].concat());
    }
}
