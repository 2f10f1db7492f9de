//! Rust's text as tokens: enough of it to see which names a file uses.

/// A piece of code. Texts, numbers and lifetimes are left out: they name nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Token {
    /// A name or a keyword.
    Word(String),
    /// `::`.
    PathSeparator,
    /// Any other sign.
    Sign(char),
}

impl Token {
    pub(super) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::PathSeparator | Self::Sign(_) => None,
        }
    }

    pub(super) fn is(&self, word: &str) -> bool {
        self.word() == Some(word)
    }
}

/// Reads the tokens of a file, without its comments and without what exists in tests only.
pub(super) fn read(text: &str) -> Vec<Token> {
    without_tests(&all(text))
}

fn all(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(behind) = behind_unnamed(rest) {
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("::") {
            tokens.push(Token::PathSeparator);
            rest = behind;
        } else if is_of_word(first) {
            let end = rest.find(|c: char| !is_of_word(c)).unwrap_or(rest.len());
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            if !first.is_whitespace() {
                tokens.push(Token::Sign(first));
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    tokens
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Returns what follows a comment, a text, a character or a lifetime, where one is first.
fn behind_unnamed(text: &str) -> Option<&str> {
    if text.starts_with("//") {
        return Some(text.find('\n').map_or("", |end| &text[end..]));
    }
    if text.starts_with("/*") {
        return Some(behind_block_comment(text));
    }
    let prefix = ["br", "cr", "b", "c", "r"]
        .into_iter()
        .find(|prefix| text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['"', '#', '\''])));
    let raw = prefix.is_some_and(|prefix| prefix.ends_with('r'));
    let body = &text[prefix.map_or(0, str::len)..];
    if raw {
        let hashes = body.len() - body.trim_start_matches('#').len();
        let opened = body[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        return Some(opened.split_once(&end).map_or("", |(_, behind)| behind));
    }
    if let Some(opened) = body.strip_prefix('"') {
        return Some(behind_quote(opened, '"'));
    }
    let opened = body.strip_prefix('\'')?;
    let mut characters = opened.chars();
    let (first, second) = (characters.next()?, characters.next()?);
    if first == '\\' || second == '\'' {
        return Some(behind_quote(opened, '\''));
    }
    Some(opened.trim_start_matches(is_of_word))
}

fn behind_quote(text: &str, quote: char) -> &str {
    let mut escaped = false;
    for (position, character) in text.char_indices() {
        if character == quote && !escaped {
            return &text[position + 1..];
        }
        escaped = character == '\\' && !escaped;
    }
    ""
}

fn behind_block_comment(text: &str) -> &str {
    let mut depth = 0_usize;
    let mut rest = text;
    loop {
        if let Some(behind) = rest.strip_prefix("/*") {
            (depth, rest) = (depth + 1, behind);
        } else if let Some(behind) = rest.strip_prefix("*/") {
            (depth, rest) = (depth - 1, behind);
            if depth == 0 {
                return rest;
            }
        } else {
            let mut characters = rest.chars();
            if characters.next().is_none() {
                return "";
            }
            rest = characters.as_str();
        }
    }
}

/// Leaves out each item under `#[cfg(test)]`.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mark = all("#[cfg(test)]");
    let mut kept = Vec::new();
    let mut position = 0;
    while position < tokens.len() {
        if tokens[position..].starts_with(&mark) {
            position = end_of_item(tokens, position + mark.len());
        } else {
            kept.push(tokens[position].clone());
            position += 1;
        }
    }
    kept
}

/// Returns the position behind the item that begins at `start`, with its other attributes.
fn end_of_item(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0_usize;
    for (position, token) in tokens.iter().enumerate().skip(start) {
        match token {
            Token::Sign('{' | '(' | '[') => depth += 1,
            Token::Sign('}' | ')' | ']') => {
                let Some(outer) = depth.checked_sub(1) else { return position };
                depth = outer;
                if depth == 0 && *token == Token::Sign('}') {
                    return position + 1;
                }
            }
            Token::Sign(';') if depth == 0 => return position + 1,
            _ => {}
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        read(text).iter().filter_map(|token| token.word().map(str::to_owned)).collect()
    }

    #[test]
    fn texts_comments_and_lifetimes_name_nothing() {
        let text = r##"
            // one
            /* two /* three */ */
            fn a<'b>(c: &'b str) { d("e \" f", r#"g"h"#, b"i", 'j', '\'', b'k', "\\"); l }
        "##;
        assert_eq!(words(text), ["fn", "a", "c", "str", "d", "l"]);
    }

    #[test]
    fn what_is_for_tests_is_left_out_wherever_it_stands() {
        let text = "mod a; #[cfg(test)] mod b; #[cfg(test)] #[expect(x)] fn c() { d({}) } #[cfg(test)] mod e { f } g";
        assert_eq!(words(text), ["mod", "a", "g"]);
        assert_eq!(words("#[cfg(not(test))] a"), ["cfg", "not", "test", "a"]);
    }
}
