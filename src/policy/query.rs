//! Queries as the API server reads them: Go's `net/url.ParseQuery`, then the `ListOptions` of
//! `k8s.io/apimachinery/pkg/apis/meta` as far as they affect the decision.

/// The decoded parameters of a query, in their order. Pairs that Go drops are dropped here too.
pub(super) struct Query(Vec<(String, String)>);

/// The options of a list that affect its verb and name.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct ListOptions {
    /// Whether the request is a watch.
    pub(super) watch: bool,
    /// The only name that a field selector selects.
    pub(super) name: Option<String>,
}

/// The error for a query that the API server might read in another way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Unclear(pub(super) &'static str);

impl Query {
    /// Reads a query without its question mark.
    ///
    /// As in Go, a pair with a semicolon or a malformed percent-encoding is dropped, and the others stay
    /// (`url.Values` as returned beside the error, which `URL.Query` ignores).
    pub(super) fn read(text: &str) -> Result<Self, Unclear> {
        let mut pairs = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if let Some((key, value)) = unescape(key).zip(unescape(value)) {
                // Go accepts bytes that are not text. No client needs that.
                let unclear = |_| Unclear("its query has bytes that are not UTF-8");
                pairs.push((
                    String::from_utf8(key).map_err(unclear)?,
                    String::from_utf8(value).map_err(unclear)?,
                ));
            }
        }
        Ok(Self(pairs))
    }

    fn first(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Decodes the options of a list.
    ///
    /// If any of them cannot be decoded, the API server ignores all but `watch`, for which any value but `0`
    /// and `false` means true.
    pub(super) fn list_options(&self) -> Result<ListOptions, Unclear> {
        let watch =
            self.first("watch").is_some_and(|value| value != "0" && !value.eq_ignore_ascii_case("false"));
        let numbers = ["timeoutSeconds", "limit"].into_iter().filter_map(|key| self.first(key));
        if numbers.into_iter().any(|value| value.parse::<i64>().is_err()) {
            return Ok(ListOptions { watch, name: None });
        }
        let Ok(name) = exact_name(self.first("fieldSelector").unwrap_or_default()) else {
            return Ok(ListOptions { watch, name: None });
        };
        // Whether the label selector can be decoded decides on the name, and on nothing else.
        if name.is_some() && !is_surely_label_selector(self.first("labelSelector").unwrap_or_default()) {
            return Err(Unclear(
                "its label selector may or may not be well-formed, which decides what is requested",
            ));
        }
        Ok(ListOptions { watch, name })
    }
}

/// Decodes a text like Go's `url.QueryUnescape`. Returns `None` where that fails.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let high = char::from(bytes.next()?).to_digit(16)?;
                let low = char::from(bytes.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    Some(decoded)
}

/// The error for a selector that cannot be parsed.
struct Malformed;

/// Returns the value that a field selector requires of `metadata.name` (`fields.ParseSelector` and
/// `RequiresExactMatch`): terms are sorted as texts, and the first one that requires a value wins.
fn exact_name(selector: &str) -> Result<Option<String>, Malformed> {
    let mut terms = split_terms(selector);
    terms.sort_unstable();
    let mut name = None;
    for term in terms.into_iter().filter(|term| !term.is_empty()) {
        let at = term.find(['=', '!']).and_then(|_| operator(term)).ok_or(Malformed)?;
        let (field, operator, value) = at;
        let value = unescape_value(value)?;
        if operator != "!=" && field == "metadata.name" && name.is_none() {
            name = Some(value);
        }
    }
    // `content.IsPathSegmentName`: names that could not be in a path are ignored.
    Ok(name.filter(|name| name != "." && name != ".." && !name.contains(['/', '%'])))
}

/// Splits at commas without a backslash before them.
fn split_terms(selector: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (index, character) in selector.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ',' => {
                terms.push(&selector[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    terms.push(&selector[start..]);
    terms
}

/// Splits a term at its first operator. At the same position, `!=` and `==` take precedence over `=`.
fn operator(term: &str) -> Option<(&str, &'static str, &str)> {
    term.char_indices().find_map(|(index, _)| {
        let (field, rest) = term.split_at(index);
        let operator = ["!=", "==", "="].into_iter().find(|operator| rest.starts_with(operator))?;
        Some((field, operator, &rest[operator.len()..]))
    })
}

fn unescape_value(value: &str) -> Result<String, Malformed> {
    let mut unescaped = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => unescaped.push(escaped),
                _ => return Err(Malformed),
            },
            ',' | '=' => return Err(Malformed),
            character => unescaped.push(character),
        }
    }
    Ok(unescaped)
}

/// Returns whether `labels.Parse` certainly accepts a selector: requirements of `key`, `!key`, `key=value`,
/// `key==value` and `key!=value` in the letters of ordinary labels. It accepts some others too, which are not
/// recognised here.
fn is_surely_label_selector(selector: &str) -> bool {
    let is_name = |text: &str| {
        let bytes = text.as_bytes();
        let ends = [bytes.first(), bytes.last()];
        (1..=63).contains(&bytes.len())
            && ends.into_iter().flatten().all(u8::is_ascii_alphanumeric)
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
            // The lexer's context distinguishes a keyword from a key or value.
            && text != "in"
            && text != "notin"
    };
    selector.is_empty()
        || selector.split(',').all(|term| match operator(term) {
            Some((key, _, value)) => is_name(key) && (value.is_empty() || is_name(value)),
            None => is_name(term.strip_prefix('!').unwrap_or(term)),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(query: &str) -> (bool, Option<String>) {
        let options = Query::read(query).and_then(|query| query.list_options()).unwrap();
        (options.watch, options.name)
    }

    #[test]
    fn watch_is_said_in_many_spellings() {
        for query in [
            "watch=true",
            "watch=1",
            "watch",
            "watch=",
            "watch=yes",
            "watch=no",
            "w%61tch=T",
            "watch=true&watch=false",
        ] {
            assert!(options(query).0, "{query}");
        }
        for query in [
            "",
            "watch=false",
            "watch=0",
            "watch=FALSE",
            "watch=false&watch=true",
            "Watch=true",
            "watch;=true",
            "watch=%zz",
        ] {
            assert!(!options(query).0, "{query}");
        }
    }

    #[test]
    fn a_field_selector_names_one_object() {
        for (query, name) in [
            ("fieldSelector=metadata.name=x", Some("x")),
            ("fieldSelector=metadata.name%3D%3Dx", Some("x")),
            ("fieldSelector=a=b,metadata.name=x", Some("x")),
            ("fieldSelector=metadata.name=y,metadata.name=x", Some("x")),
            ("fieldSelector=metadata.name=", Some("")),
            ("fieldSelector=metadata.name=a\\,b", Some("a,b")),
            ("fieldSelector=metadata.name!=x", None),
            ("fieldSelector=metadata.name=a/b", None),
            ("fieldSelector=metadata.name=..", None),
            ("fieldSelector=metadata.name=x,bad", None),
            ("fieldSelector=metadata.name=x=y", None),
            ("fieldSelector=metadata.name=x&limit=ten", None),
            ("fieldSelector=metadata.name=x&limit=10&labelSelector=a%3Db,!c", Some("x")),
        ] {
            assert_eq!(options(query).1.as_deref(), name, "{query}");
        }
    }

    #[test]
    fn a_label_selector_that_may_be_malformed_makes_a_name_unclear_and_nothing_else() {
        let query = Query::read("fieldSelector=metadata.name=x&labelSelector=a+in+(b").unwrap();
        assert!(query.list_options().is_err());
        assert!(Query::read("fieldSelector=%ff").is_err());
        assert_eq!(options("labelSelector=a+in+(b&watch=1"), (true, None));
    }
}
