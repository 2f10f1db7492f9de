//! Wording that no text for users has: plain modern English says it otherwise.

use std::path::Path;

/// The wordings to avoid, and their replacements.
const AVOIDED: [(&str, &str); 4] =
    [("is no ", "is not a …"), (" told", "reported"), ("hoped", "expected"), ("nobody", "no one")];

/// The exceptions, which are plain English.
const EXCEPTIONS: [&str; 1] = [
    // States that something is absent, not what something else is.
    "there is no ",
];

/// Returns whether a file contains texts for users: code of the program, apart from its tests.
pub(super) fn is_checked(file: &Path) -> bool {
    let in_tests = file.components().any(|part| part.as_os_str() == "tests");
    file.starts_with("src")
        && file.extension().is_some_and(|extension| extension == "rs")
        && !in_tests
        && file.file_name().is_some_and(|name| name != "tests.rs")
}

/// Reports each text of a file with wording to be avoided.
pub(super) fn check(file: &Path, source: &str) -> Vec<String> {
    let mut violations = Vec::new();
    for (line, text) in literals(source).into_iter().chain(help(source)) {
        let mut text = format!(" {text}");
        for exception in EXCEPTIONS {
            text = text.replace(exception, "");
        }
        for (avoided, instead) in AVOIDED {
            if text.contains(avoided) {
                let (file, avoided) = (file.display(), avoided.trim());
                violations.push(format!("{file}:{line}: `{avoided}` in a text for users; write `{instead}`"));
            }
        }
    }
    violations
}

/// Returns the doc comments that clap prints as help.
fn help(source: &str) -> Vec<(usize, String)> {
    if !source.contains("derive(Parser)") && !source.contains("derive(Subcommand)") {
        return Vec::new();
    }
    let lines = source.lines().zip(1..);
    lines
        .filter_map(|(line, number)| Some((number, line.trim_start().strip_prefix("///")?.to_owned())))
        .collect()
}

/// Returns the string literals of Rust code outside comments and tests, each with the line that it begins on.
fn literals(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut rest = source;
    // How many braces of an item of tests are open.
    let mut braces: Option<usize> = None;
    while let Some(next) = rest.chars().next() {
        if rest.starts_with("#[cfg(test)]") || rest.starts_with("#[cfg(all(test,") {
            braces = braces.or(Some(0));
        }
        let skipped = match next {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '\'' => character(rest),
            '"' => {
                let (text, length) = quoted(&rest[1..]);
                if braces.is_none() {
                    found.push((line_of(source, rest), text));
                }
                length + 1
            }
            _ if next.is_alphanumeric() || next == '_' => {
                let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                match raw(&rest[..word], &rest[word..]) {
                    Some((text, length)) => {
                        if braces.is_none() {
                            found.push((line_of(source, rest), text.to_owned()));
                        }
                        word + length
                    }
                    None => word,
                }
            }
            _ => next.len_utf8(),
        };
        braces = match (next, braces) {
            ('{', Some(depth)) => Some(depth + 1),
            ('}', Some(0 | 1)) | (';', Some(0)) => None,
            ('}', Some(depth)) => Some(depth - 1),
            _ => braces,
        };
        rest = &rest[skipped..];
    }
    found
}

fn line_of(source: &str, rest: &str) -> usize {
    source[..source.len() - rest.len()].matches('\n').count() + 1
}

/// Returns the length of a character literal, or of a lifetime's quote alone.
fn character(rest: &str) -> usize {
    let mut characters = rest.char_indices().skip(1);
    match (characters.next(), characters.next()) {
        (Some((_, '\\')), Some((escaped, _))) => {
            rest[escaped + 1..].find('\'').map_or(rest.len(), |end| escaped + end + 2)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
}

/// Returns the text up to the closing quote, without the line breaks that are escaped, and how long it is in
/// the source.
fn quoted(rest: &str) -> (String, usize) {
    let mut text = String::new();
    let mut characters = rest.char_indices().peekable();
    while let Some((position, character)) = characters.next() {
        match character {
            '"' => return (text, position + 1),
            '\\' => match characters.next() {
                Some((_, '\n')) => while characters.next_if(|(_, blank)| blank.is_whitespace()).is_some() {},
                Some((_, escaped)) => text.extend(['\\', escaped]),
                None => {}
            },
            other => text.push(other),
        }
    }
    (text, rest.len())
}

/// Returns the text of a raw string, if a word begins one, and how long it is in the source after that word.
fn raw<'a>(word: &str, rest: &'a str) -> Option<(&'a str, usize)> {
    let hashes = rest.find(|c| c != '#')?;
    let text = rest[hashes..].strip_prefix('"').filter(|_| matches!(word, "r" | "br" | "cr"))?;
    let end = format!("\"{}", &rest[..hashes]);
    let length = text.find(&end)?;
    Some((&text[..length], hashes + 1 + length + end.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(source: &str) -> Vec<String> {
        check(Path::new("src/x.rs"), source)
    }

    #[test]
    fn a_text_that_is_not_plain_is_found_with_its_line() {
        let source = "fn f() {\n    fail(\"it is no tar\");\n}\n";
        assert_eq!(found(source), ["src/x.rs:2: `is no` in a text for users; write `is not a …`"]);
        assert_eq!(found(r##"#[error(r#"the "user" was told"#)]"##).len(), 1);
        assert_eq!(found("\"an answer that was not\\\n    hoped for, by nobody\"").len(), 2);
        assert_eq!(found("let quote = '\"'; let escaped = '\\''; f(\"nobody\");").len(), 1);
        assert_eq!(found("fn f<'a>(x: &'a str) { g(\"nobody\") }").len(), 1);
    }

    #[test]
    fn an_escaped_line_break_does_not_hide_one() {
        assert_eq!(found("\"it is \\\n     no tar\"").len(), 1);
    }

    #[test]
    fn help_is_a_text_for_users() {
        assert_eq!(
            found("#[derive(Subcommand)]\nenum Verb {\n    /// What nobody runs\n    Run,\n}").len(),
            1
        );
    }

    #[test]
    fn comments_names_tests_and_exceptions_are_not() {
        assert_eq!(found("// it is no \"tar\"\n/* nobody */\n/// nobody\nfn nobody() {}"), [""; 0]);
        assert_eq!(found("#[cfg(test)]\nmod tests {\n    fn f() { g(\"nobody\"); }\n}\n"), [""; 0]);
        assert_eq!(found("#[cfg(test)]\nmod tests;\nfn f() { g(\"nobody\") }").len(), 1);
        assert_eq!(found("f(\"there is no kubeconfig\")"), [""; 0]);
        assert!(!is_checked(Path::new("src/gate/tests.rs")) && !is_checked(Path::new("tests/gate.rs")));
        assert!(is_checked(Path::new("src/gate/mod.rs")));
    }
}
