//! Lists and texts as YAML writes them on one line.

use std::fmt::{self, Write as _};

/// A list in YAML's flow style.
pub(super) struct List<'a>(pub(super) &'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (index, item) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            // Words that YAML reads as something else are quoted, and so is everything that is not a plain
            // word.
            let plain = item.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
                && item.chars().all(|c| c.is_ascii_alphanumeric() || "-./_".contains(c))
                && item.parse::<f64>().is_err()
                && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
                    .contains(&item.to_ascii_lowercase().as_str());
            f.write_str(comma)?;
            if plain { f.write_str(item)? } else { quote(f, item)? }
        }
        f.write_str("]")
    }
}

/// A text in YAML's double quotes, with escapes for invisible characters.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        quote(f, self.0)
    }
}

fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            ' '..='~' => f.write_char(character)?,
            _ if character.is_alphanumeric() => f.write_char(character)?,
            '\0'..='\u{ff}' => write!(f, "\\x{:02x}", u32::from(character))?,
            '\u{100}'..='\u{ffff}' => write!(f, "\\u{:04x}", u32::from(character))?,
            _ => write!(f, "\\U{:08x}", u32::from(character))?,
        }
    }
    f.write_char('"')
}
