//! Lists in pages.

use std::ops::Range;

/// The way in which a page of a list leads to the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paging {
    /// By a `Link` with scheme and host.
    Absolute,
    /// By a `Link` to the other host.
    Elsewhere,
    /// By no `Link`: only who asks with `last` sees more.
    LastOnly,
    /// By a `Link` that leads to the first page again.
    Loop,
    /// By a `Link` with a path and a query, as most registries have it.
    #[default]
    Relative,
}

/// The division of a list into pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages {
    /// The most that one page has.
    pub(crate) size: usize,
    pub(crate) paging: Paging,
}

impl Default for Pages {
    fn default() -> Self {
        Self { size: usize::MAX, paging: Paging::default() }
    }
}

/// One page: its part of the list, and the query of its `Link`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) range: Range<usize>,
    pub(crate) next: Option<String>,
}

impl Pages {
    /// Returns the page that a query requests, of a list whose items have these keys.
    pub(crate) fn page(self, keys: &[String], query: &[(String, String)]) -> Page {
        let asked =
            |name: &str| query.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        let size = asked("n").and_then(|n| n.parse().ok()).map_or(self.size, |n: usize| n.min(self.size));
        let start = match asked("last") {
            None => 0,
            Some(last) => match keys.iter().position(|key| key == last) {
                Some(position) => position + 1,
                // The last one may be gone meanwhile.
                None => keys.partition_point(|key| key.as_str() < last),
            },
        };
        let end = start.saturating_add(size).min(keys.len());
        let more = end < keys.len() && self.paging != Paging::LastOnly;
        let next = (more && end > start).then(|| {
            let last =
                if self.paging == Paging::Loop { None } else { Some(("last", keys[end - 1].as_str())) };
            let kept = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let kept = kept.filter(|(name, _)| !["last", "n"].contains(name));
            let size = size.to_string();
            let pairs = kept.chain([("n", size.as_str())]).chain(last);
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        });
        Page { range: start..end, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(paging: Paging) -> Pages {
        Pages { size: 2, paging }
    }

    fn page(pages: Pages, query: &[(&str, &str)]) -> (Range<usize>, Option<String>) {
        let keys = ["a", "b", "c", "d", "e"].map(str::to_owned);
        let query: Vec<_> =
            query.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let page = pages.page(&keys, &query);
        (page.range, page.next)
    }

    #[test]
    fn each_page_leads_to_the_next_and_the_last_to_none() {
        let pages = pages(Paging::Relative);
        assert_eq!(page(pages, &[]), (0..2, Some("n=2&last=b".to_owned())));
        assert_eq!(page(pages, &[("last", "b"), ("n", "1")]), (2..3, Some("n=1&last=c".to_owned())));
        assert_eq!(page(pages, &[("last", "cc")]), (3..5, None));
        assert_eq!(
            page(pages, &[("n", "100"), ("artifactType", "a/b")]),
            (0..2, Some("artifactType=a%2Fb&n=2&last=b".to_owned()))
        );
    }

    #[test]
    fn a_loop_leads_back_and_last_only_nowhere() {
        assert_eq!(page(pages(Paging::Loop), &[("last", "b")]), (2..4, Some("n=2".to_owned())));
        assert_eq!(page(pages(Paging::LastOnly), &[]), (0..2, None));
        assert_eq!(page(pages(Paging::LastOnly), &[("last", "b")]), (2..4, None));
        assert_eq!(page(Pages::default(), &[]), (0..5, None));
    }
}
