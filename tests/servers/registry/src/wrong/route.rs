//! The subject of a path.

/// The kind of a request, by which faults and the log distinguish requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `/v2/`: whether it is a registry at all.
    Base,
    /// A blob: a config or a layer.
    Blob,
    /// A manifest or an index, by tag or digest.
    Manifest,
    /// Anything else.
    Other,
    /// The referrers API.
    Referrers,
    /// The list of tags.
    Tags,
    /// The token endpoint.
    Token,
    /// A blob that is pushed.
    Upload,
    /// The metadata for clients of packages.
    WellKnown,
}

/// A path, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Base,
    Blob {
        repository: String,
        digest: String,
    },
    Manifest {
        repository: String,
        reference: String,
    },
    Other,
    Referrers {
        repository: String,
        digest: String,
    },
    Tags {
        repository: String,
    },
    Token,
    /// Without a name it is to begin.
    Upload {
        repository: String,
        name: String,
    },
    WellKnown,
}

/// The path of the token endpoint.
pub(crate) const TOKEN: &str = "/token";

/// The path at which registries of packages say how they are to be used.
const WELL_KNOWN: &str = "/.well-known/wasm-pkg/registry.json";

impl Route {
    pub(crate) fn of(path: &str) -> Self {
        if path == TOKEN {
            return Self::Token;
        }
        if path == WELL_KNOWN {
            return Self::WellKnown;
        }
        let Some(path) = path.strip_prefix("/v2") else { return Self::Other };
        if path.is_empty() || path == "/" {
            return Self::Base;
        }
        // A repository may be called `tags` or `blobs`: the last two segments decide.
        let mut parts = path.trim_start_matches('/').rsplitn(3, '/');
        let (Some(last), Some(kind), Some(repository)) = (parts.next(), parts.next(), parts.next()) else {
            return Self::Other;
        };
        let (repository, last) = (repository.to_owned(), last.to_owned());
        match kind {
            "uploads" if let Some(repository) = repository.strip_suffix("/blobs") => {
                Self::Upload { repository: repository.to_owned(), name: last }
            }
            "blobs" if last == "uploads" => Self::Upload { repository, name: String::new() },
            "blobs" => Self::Blob { repository, digest: last },
            "manifests" => Self::Manifest { repository, reference: last },
            "referrers" => Self::Referrers { repository, digest: last },
            "tags" if last == "list" => Self::Tags { repository },
            _ => Self::Other,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Base => Kind::Base,
            Self::Blob { .. } => Kind::Blob,
            Self::Manifest { .. } => Kind::Manifest,
            Self::Other => Kind::Other,
            Self::Referrers { .. } => Kind::Referrers,
            Self::Tags { .. } => Kind::Tags,
            Self::Token => Kind::Token,
            Self::Upload { .. } => Kind::Upload,
            Self::WellKnown => Kind::WellKnown,
        }
    }

    pub(crate) fn repository(&self) -> Option<&str> {
        match self {
            Self::Blob { repository, .. }
            | Self::Manifest { repository, .. }
            | Self::Referrers { repository, .. }
            | Self::Tags { repository }
            | Self::Upload { repository, .. } => Some(repository),
            Self::Base | Self::Other | Self::Token | Self::WellKnown => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_segments_say_what_is_asked_for() {
        let route = Route::of("/v2/team/tags/blobs/sha256:00");
        assert_eq!(route, Route::Blob { repository: "team/tags".to_owned(), digest: "sha256:00".to_owned() });
        let upload = |name: &str| Route::Upload { repository: "hello".to_owned(), name: name.to_owned() };
        assert_eq!(Route::of("/v2/hello/blobs/uploads/1"), upload("1"));
        assert_eq!(Route::of("/v2/hello/blobs/uploads/"), upload(""));
        assert_eq!(Route::of("/v2/hello/tags/list"), Route::Tags { repository: "hello".to_owned() });
        assert_eq!((Route::of("/v2/"), Route::of("/v2")), (Route::Base, Route::Base));
        assert_eq!((Route::of("/token"), Route::of("/v2/hello")), (Route::Token, Route::Other));
        assert_eq!(Route::of("/.well-known/wasm-pkg/registry.json"), Route::WellKnown);
    }
}
