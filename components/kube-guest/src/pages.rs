//! Lists, read page by page (Kubernetes API concepts: "Retrieving large results sets in chunks").

use crate::pool::Step;
use crate::{Cluster, Error, Path, Pool};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The number of objects in a page, the same as in kubectl.
const PAGE: &str = "500";

/// The number of bytes within which a page's own metadata ends.
const HEAD: usize = 8 * 1024;

/// The number of times that a list is begun again when its pages expire.
const ATTEMPTS: u8 = 3;

/// An `Accept` header for objects of which only the metadata is wanted (`meta.k8s.io/v1`).
pub const METADATA: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

/// A page of a list.
#[derive(Deserialize)]
pub struct Page<T> {
    #[serde(default)]
    metadata: Metadata,
    // A list of nothing may be `null`.
    items: Option<Vec<T>>,
}

impl<T: DeserializeOwned> Page<T> {
    /// Reads the body of an answer.
    ///
    /// # Errors
    ///
    /// [`Error::Json`].
    pub fn read(body: &[u8]) -> Result<Self, Error> {
        serde_json::from_slice(body).map_err(Error::Json)
    }
}

impl<T> Page<T> {
    /// Returns the path of the first page of the list at `path`.
    #[must_use]
    pub fn first(path: Path) -> Path {
        path.query("limit", PAGE)
    }

    /// Returns the path of the page after this one, of the list at `path`; `None` if this is the last.
    #[must_use]
    pub fn after(&self, path: Path) -> Option<Path> {
        let next = self.metadata.next.as_deref().filter(|next| !next.is_empty())?;
        Some(Self::first(path).query("continue", next))
    }

    /// Returns the objects, in the order of the server.
    #[must_use]
    pub fn into_items(self) -> Vec<T> {
        self.items.unwrap_or_default()
    }
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default, rename = "continue")]
    next: Option<String>,
    #[serde(default, rename = "resourceVersion")]
    version: Option<String>,
}

/// A whole list.
#[derive(Clone, Debug)]
pub struct List<T> {
    /// The objects, in the order of the server.
    pub items: Vec<T>,
    /// The version that a watch begins at.
    pub version: String,
}

impl Cluster {
    /// Lists all objects at `path`, whatever their number.
    ///
    /// # Errors
    ///
    /// The same as [`Cluster::get_json`].
    pub fn list<T: DeserializeOwned>(&self, path: Path) -> Result<List<T>, Error> {
        self.begin_lists([path], "application/json").finish_one()
    }

    /// Lists all objects at each of the paths, some lists at a time, and returns them in the order of the paths.
    /// `accept` is the `Accept` header, such as [`METADATA`].
    pub fn lists<T: DeserializeOwned>(
        &self,
        paths: impl IntoIterator<Item = Path>,
        accept: &str,
    ) -> Vec<Result<List<T>, Error>> {
        self.begin_lists(paths, accept).finish()
    }

    /// Begins to list as [`Cluster::lists`] does, and does not wait: the first pages arrive while something else is done.
    pub fn begin_lists<'a, T: DeserializeOwned>(
        &'a self,
        paths: impl IntoIterator<Item = Path>,
        accept: &'a str,
    ) -> Lists<'a, T> {
        let mut lists = Lists { pool: Pool::new(self).accept(accept), lists: Vec::new() };
        for (index, path) in paths.into_iter().enumerate() {
            lists.pool.get(Place { list: index, page: 0 }, Page::<T>::first(path.clone()));
            lists.lists.push(Growing::new(path, 1));
        }
        lists.pool.start();
        lists
    }
}

/// Lists whose first pages are under way.
#[derive(Debug)]
pub struct Lists<'a, T> {
    pool: Pool<'a, Place>,
    lists: Vec<Growing<T>>,
}

/// Which page was requested.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Place {
    list: usize,
    page: usize,
}

impl<T: DeserializeOwned> Lists<'_, T> {
    /// Sets how many requests may be under way at once, where most lists are short, so that the way takes the time.
    #[must_use]
    pub fn at_once(mut self, number: usize) -> Self {
        self.pool = self.pool.at_once(number);
        self.pool.start();
        self
    }

    /// Waits for all pages of all lists, and returns the lists in the order of their paths.
    #[must_use]
    pub fn finish(mut self) -> Vec<Result<List<T>, Error>> {
        while let Some(step) = self.pool.step() {
            if let Step::Answer(place, body) = step {
                self.arrived(place, body);
            }
            self.look_ahead();
        }
        self.lists.into_iter().map(|list| list.found).collect()
    }

    /// Requests the page after each that is arriving, as soon as its beginning tells where the list continues: the server works
    /// at the one while the other is on its way.
    fn look_ahead(&mut self) {
        for (index, list) in self.lists.iter_mut().enumerate() {
            let place = Place { list: index, page: list.taken };
            if let Some(path) = self.pool.body(&place).and_then(|body| list.ahead(body)) {
                self.pool.get(Place { page: place.page + 1, ..place }, path);
            }
        }
        self.pool.start();
    }

    /// Takes a page, and the one after it if that arrived before.
    fn arrived(&mut self, place: Place, body: Result<Vec<u8>, Error>) {
        let list = &mut self.lists[place.list];
        if place.page != list.taken {
            list.early = Some(body);
            return;
        }
        let mut next = Some(body);
        while let Some(body) = next {
            // The server works at the page after it while this one is read.
            if let Some(path) = body.as_ref().ok().and_then(|body| list.ahead(body)) {
                self.pool.get(Place { page: list.taken + 1, ..place }, path);
                self.pool.start();
            }
            let (taken, was_ahead) = (list.taken, std::mem::take(&mut list.is_ahead));
            let more = list.take(body);
            if list.taken <= taken {
                // It failed, or begins again: what is under way of it is for nothing.
                self.pool.forget(|other| other.list == place.list);
                list.early = None;
            }
            if let Some(path) = more.filter(|_| !was_ahead || list.taken == 0) {
                self.pool.get(Place { page: list.taken, ..place }, path);
            }
            next = list.early.take();
        }
    }

    /// Waits for all pages of the only list.
    ///
    /// # Errors
    ///
    /// The same as [`Cluster::get_json`].
    pub fn finish_one(self) -> Result<List<T>, Error> {
        self.finish().pop().unwrap_or_else(|| Err(crate::response::taken("the list")))
    }
}

/// Returns a page without its objects, if all else comes before them, as the API server has it.
fn head_of(page: &[u8]) -> Option<Page<serde::de::IgnoredAny>> {
    // Inside of a string the quotes would be escaped.
    let items = memchr::memmem::find(&page[..page.len().min(HEAD)], b"\"items\":")?;
    let mut head = page[..items].to_vec();
    head.extend_from_slice(b"\"items\":null}");
    Page::read(&head).ok()
}

/// A list of which some pages have arrived.
#[derive(Debug)]
struct Growing<T> {
    path: Path,
    /// The number of times that it was begun.
    attempt: u8,
    /// The number of pages that are in it.
    taken: usize,
    /// Whether the page after the one that comes next is requested already.
    is_ahead: bool,
    /// The page after the one that comes next, if it arrived before that.
    early: Option<Result<Vec<u8>, Error>>,
    found: Result<List<T>, Error>,
}

impl<T: DeserializeOwned> Growing<T> {
    fn new(path: Path, attempt: u8) -> Self {
        let found = Ok(List { items: Vec::new(), version: String::new() });
        Self { path, attempt, taken: 0, is_ahead: false, early: None, found }
    }

    /// Returns the path of the page after the one that comes next, of which this is the beginning, if that tells it, and if it
    /// was not requested before.
    fn ahead(&mut self, page: &[u8]) -> Option<Path> {
        if self.is_ahead || self.found.is_err() {
            return None;
        }
        let path = head_of(page)?.after(self.path.clone())?;
        self.is_ahead = true;
        Some(path)
    }

    /// Takes a page, and returns the path of the next one.
    fn take(&mut self, body: Result<Vec<u8>, Error>) -> Option<Path> {
        match body.and_then(|body| Page::<T>::read(&body)) {
            Ok(page) => {
                let Ok(list) = &mut self.found else { return None };
                self.taken += 1;
                let after = page.after(self.path.clone());
                list.version = page.metadata.version.clone().unwrap_or_default();
                list.items.extend(page.into_items());
                after
            }
            // What was read so far belongs to a state of the cluster that the rest can no longer be had of.
            Err(error) if error.status() == Some(410) && self.attempt < ATTEMPTS => {
                *self = Self::new(self.path.clone(), self.attempt + 1);
                Some(Page::<T>::first(self.path.clone()))
            }
            Err(error) => {
                self.found = Err(error);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_page_continues_is_known_from_its_head() {
        let next = |text: &str| head_of(text.as_bytes())?.metadata.next.filter(|next| !next.is_empty());
        let page =
            r#"{"kind":"PodList","metadata":{"continue":"a\"items\":b","resourceVersion":"7"},"items":[{"#;
        assert_eq!(next(page).as_deref(), Some("a\"items\":b"));
        assert_eq!(next(r#"{"metadata":{"continue":"","resourceVersion":"7"},"items":[]}"#), None);
        assert_eq!(next(r#"{"items":[],"metadata":{"continue":"a"}}"#), None, "it is read at the end");
        assert_eq!(next("no JSON"), None);
    }
}
