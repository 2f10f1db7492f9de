//! Names of functions as their source has them.

use std::fmt::{self, Write};

/// The longest mangled name that is read, in bytes. A name of C++ may be longer by itself, and is shown as it is.
const LONGEST: usize = 8 << 10;

/// The longest name that is shown whole, in characters.
const SHOWN: usize = 256;

/// Returns a function's name as in its source, if it is mangled as by Rust ([v0][1] or legacy, without the hash)
/// or by C++ (the [Itanium ABI][2]); otherwise the name itself. At most 256 characters, so that a hostile name
/// cannot grow: the back-references of C++ make gigabytes of a few hundred bytes.
///
/// [1]: https://doc.rust-lang.org/rustc/symbol-mangling/v0.html
/// [2]: https://itanium-cxx-abi.github.io/cxx-abi/abi.html#mangling
#[must_use]
pub fn readable(name: &str) -> String {
    let mut shown = Shortened::default();
    if name.len() <= LONGEST {
        if let Ok(rust) = rustc_demangle::try_demangle(name) {
            // An error means that it is long enough.
            write!(shown, "{rust:#}").unwrap_or_default();
        } else if name.starts_with("_Z")
            && let Ok(symbol) = cpp_demangle::BorrowedSymbol::new(name.as_bytes())
        {
            let options = cpp_demangle::DemangleOptions::new();
            if symbol.structured_demangle(&mut shown, &options).is_err() && !shown.is_full {
                shown = Shortened::default();
            }
        }
    }
    if shown.text.is_empty() {
        shown.write_str(name).unwrap_or_default();
    }
    shown.text
}

/// A text that takes no more than it may have.
#[derive(Default)]
struct Shortened {
    text: String,
    length: usize,
    is_full: bool,
}

impl Write for Shortened {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.length == SHOWN {
                self.text.push('…');
                self.is_full = true;
                return Err(fmt::Error);
            }
            self.text.push(character);
            self.length += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mangled_name_is_shown_as_in_its_source() {
        for (mangled, name) in [
            ("_ZN7podtool4list17h0123456789abcdefE", "podtool::list"),
            (
                "_ZN38_$LT$X$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE",
                "<X as core::fmt::Debug>::fmt",
            ),
            ("_RNvC7podtool4list", "podtool::list"),
            ("_ZN5space3fooEibc", "space::foo(int, bool, char)"),
            ("_ZNSt6vectorIiSaIiEE9push_backEOi", "std::vector<int, std::allocator<int> >::push_back(int&&)"),
            ("main.main", "main.main"),
            ("_start", "_start"),
            // Each would be a type of C++.
            ("f", "f"),
            ("i", "i"),
            ("", ""),
        ] {
            assert_eq!(readable(mangled), name);
        }
    }

    #[test]
    fn a_name_that_grows_without_end_is_cut() {
        // f(A<int, …>, A<A<int, …>, …>, …): each parameter is the one before, ten times.
        let mut name = format!("_Z1f1AI{}E", "i".repeat(10));
        for level in 0..10 {
            write!(name, "S_I{}E", format!("S{level}_").repeat(10)).unwrap();
        }
        let shown = readable(&name);
        assert_eq!(shown.chars().count(), SHOWN + 1, "{shown}");
        assert!(
            shown.starts_with("f(A<int, int, int, int, int, int, int, int, int, int>, A<A<int, "),
            "{shown}"
        );
    }

    #[test]
    fn a_long_name_is_cut_whatever_it_is() {
        for name in ["x".repeat(1 << 20), format!("_ZN{}E", "1a".repeat(1 << 20)), "é".repeat(300)] {
            assert_eq!(readable(&name).chars().count(), SHOWN + 1);
        }
    }
}
