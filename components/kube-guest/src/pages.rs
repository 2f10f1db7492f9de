//! Lists, read page by page (Kubernetes API concepts: "Retrieving large results sets in chunks").

use crate::{Cluster, Error, Path, Pool};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The number of objects in a page, the same as in kubectl.
const PAGE: &str = "500";

/// The number of times that a list is begun again when its pages expire.
const ATTEMPTS: u8 = 3;

/// An `Accept` header for objects of which only the metadata is wanted (`meta.k8s.io/v1`).
pub const METADATA: &str =
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default)]
    metadata: Metadata,
    // A list of nothing may be `null`.
    items: Option<Vec<T>>,
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
        let mut lists = self.lists([path], "application/json");
        lists.pop().unwrap_or_else(|| Err(crate::response::taken("the list")))
    }

    /// Lists all objects at each of the paths, some lists at a time, and returns them in the order of the paths.
    /// `accept` is the `Accept` header, such as [`METADATA`].
    pub fn lists<T: DeserializeOwned>(
        &self,
        paths: impl IntoIterator<Item = Path>,
        accept: &str,
    ) -> Vec<Result<List<T>, Error>> {
        let mut pool = Pool::new(self).accept(accept);
        let mut lists = Vec::new();
        for (index, path) in paths.into_iter().enumerate() {
            pool.get(index, path.clone().query("limit", PAGE));
            lists.push(Growing {
                path,
                attempts: 1,
                found: Ok(List { items: Vec::new(), version: String::new() }),
            });
        }
        while let Some((index, body)) = pool.next() {
            if let Some(more) = lists[index].take(body) {
                pool.get(index, more);
            }
        }
        lists.into_iter().map(|list| list.found).collect()
    }
}

/// A list of which some pages have arrived.
struct Growing<T> {
    path: Path,
    attempts: u8,
    found: Result<List<T>, Error>,
}

impl<T: DeserializeOwned> Growing<T> {
    /// Takes a page, and returns the path of the next one.
    fn take(&mut self, body: Result<Vec<u8>, Error>) -> Option<Path> {
        let page = body.and_then(|body| serde_json::from_slice::<Page<T>>(&body).map_err(Error::Json));
        let first = || self.path.clone().query("limit", PAGE);
        match page {
            Ok(page) => {
                let Ok(list) = &mut self.found else { return None };
                list.items.extend(page.items.unwrap_or_default());
                list.version = page.metadata.version.unwrap_or_default();
                let next = page.metadata.next.filter(|next| !next.is_empty())?;
                Some(first().query("continue", &next))
            }
            // What was read so far belongs to a state of the cluster that the rest can no longer be had of.
            Err(error) if error.status() == Some(410) && self.attempts < ATTEMPTS => {
                self.attempts += 1;
                self.found = Ok(List { items: Vec::new(), version: String::new() });
                Some(first())
            }
            Err(error) => {
                self.found = Err(error);
                None
            }
        }
    }
}
