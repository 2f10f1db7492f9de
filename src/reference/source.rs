//! The sources of components.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::{Image, ImageError, Listed, NameError, ObjectSource, Package, PackageError, PluginName};

/// The source of a component.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Source {
    /// An artifact in an OCI registry.
    Image(Image),
    /// An installed plugin.
    Installed(PluginName),
    /// A plugin of an index, with the name of that or with a version.
    Listed(Listed),
    /// A `ConfigMap` or a `Secret` of the user's cluster.
    Object(ObjectSource),
    /// A package, whose registry follows from the configuration of package registries.
    Package(Package),
    /// A file.
    Path(PathBuf),
}

/// The reason why a text is not a valid source.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum SourceError {
    /// None of the known forms.
    #[error(
        "`{0}` is not a valid source: give a path (./x.wasm), an artifact in a registry (HOST/REPOSITORY:TAG), a package \
         (NAMESPACE:NAME), a plugin of an index (INDEX/NAME), an object of a cluster (configmap/NAMESPACE/NAME) or the name of an installed plugin"
    )]
    Form(String),
    /// An artifact in a registry, in the notation of other tools.
    #[error("`{text}` is not a valid source: an artifact in a registry is written without a scheme: {image}")]
    Scheme {
        /// The text as it was written.
        text: String,
        /// The notation of kwasm.
        image: String,
    },
    /// Almost an artifact in a registry.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// Almost the name of a plugin.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Almost a package.
    #[error(transparent)]
    Package(#[from] PackageError),
}

/// The schemes of other tools for artifacts in registries: skopeo and podman, kwctl, and helm-like tools.
const SCHEMES: [&str; 3] = ["docker", "registry", "oras"];

impl FromStr for Source {
    type Err = SourceError;

    /// Reads a source. `./x.wasm`, `/a/x.wasm` and everything that ends in `.wasm` is a path; `oci://…`, or a
    /// path whose first part has a dot or a port or is `localhost`, is an artifact in a registry; `a:b` is a
    /// package; `a/b` and `b@1` are plugins of an index; a bare word is an installed plugin.
    fn from_str(text: &str) -> Result<Self, SourceError> {
        if text.starts_with("oci://") {
            return Ok(Self::Image(text.parse()?));
        }
        if let Some((scheme, rest)) = text.split_once("://") {
            let is_image = SCHEMES.contains(&scheme) && rest.parse::<Image>().is_ok();
            return Err(if is_image {
                SourceError::Scheme { text: text.to_owned(), image: rest.to_owned() }
            } else {
                SourceError::Form(text.to_owned())
            });
        }
        let windows_path = cfg!(windows) && (text.contains('\\') || text.get(1..2) == Some(":"));
        // A key may end as files do.
        let is_object = text.parse::<ObjectSource>().is_ok();
        let path = text.starts_with('/')
            || text.starts_with("./")
            || text.starts_with("../")
            || windows_path
            || (!is_object
                && Path::new(text)
                    .extension()
                    .is_some_and(|extension| extension.eq_ignore_ascii_case("wasm")));
        if path {
            return Ok(Self::Path(text.into()));
        }
        if let Ok(object) = text.parse() {
            return Ok(Self::Object(object));
        }
        match text.split_once('/') {
            Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => {
                Ok(Self::Image(text.parse()?))
            }
            None if text.contains(':') => Ok(Self::Package(text.parse()?)),
            None if !text.contains('@') => match text.parse() {
                Ok(name) => Ok(Self::Installed(name)),
                Err(error @ (NameError::BuiltIn(_) | NameError::Device(_))) => Err(error.into()),
                Err(NameError::Form(_)) => Err(SourceError::Form(text.to_owned())),
            },
            _ => text.parse().map(Self::Listed).map_err(|_| SourceError::Form(text.to_owned())),
        }
    }
}

/// Writes a text that is read as the same source again, since receipts keep it.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Image(image) => {
                // A host without a dot looks like a folder, and a tag may end as files do.
                let text = image.to_string();
                let is_plain = text.parse().as_ref() == Ok(self);
                write!(f, "{}{text}", if is_plain { "" } else { "oci://" })
            }
            Self::Installed(name) => write!(f, "{name}"),
            Self::Listed(listed) => write!(f, "{listed}"),
            Self::Object(object) => write!(f, "{object}"),
            Self::Package(package) => write!(f, "{package}"),
            Self::Path(path) => {
                let text = path.display().to_string();
                // A file may be named as an object is.
                let is_plain = text.parse::<ObjectSource>().is_err();
                write!(f, "{}{text}", if is_plain { "" } else { "./" })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_source_is_told_from_the_others() {
        assert_eq!("./x".parse(), Ok(Source::Path("./x".into())));
        assert_eq!("x.wasm".parse(), Ok(Source::Path("x.wasm".into())));
        assert_eq!("decoder".parse(), Ok(Source::Installed("decoder".parse().unwrap())));
        for text in ["ghcr.io/a/b:1", "localhost/a", "host:5000/a", "oci://anything/x.wasm"] {
            assert!(matches!(text.parse::<Source>(), Ok(Source::Image(_))), "{text}");
        }
        for text in ["acme/x", "acme/x@1.0.0", "x@1.0.0", "x@1"] {
            assert!(matches!(text.parse::<Source>(), Ok(Source::Listed(_))), "{text}");
        }
        for text in ["configmap/shop/tools", "secret/shop/tools/x.wasm"] {
            assert!(matches!(text.parse::<Source>(), Ok(Source::Object(_))), "{text}");
        }
        for text in ["ns:name", "ns:name@1.0.0"] {
            assert!(matches!(text.parse::<Source>(), Ok(Source::Package(_))), "{text}");
        }
        for text in ["Decoder", "Folder/x", "folder/x/y", "folder/x:1", "x@", "https://host/x.wasm", ""] {
            assert!(matches!(text.parse::<Source>(), Err(SourceError::Form(_))), "{text}");
        }
        for text in ["docker://ghcr.io/a/b:1", "registry://ghcr.io/a"] {
            let error = text.parse::<Source>().unwrap_err().to_string();
            assert!(error.ends_with(text.split_once("://").unwrap().1), "{error}");
        }
        assert!(matches!("docker://A".parse::<Source>(), Err(SourceError::Form(_))));
        assert!(matches!("ghcr.io/A".parse::<Source>(), Err(SourceError::Image(_))));
        assert!(matches!("ns:Name".parse::<Source>(), Err(SourceError::Package(_))));
        assert!(matches!("top".parse::<Source>(), Err(SourceError::Name(_))));
    }

    #[test]
    fn what_is_written_of_a_source_is_read_as_the_same_one() {
        let (digest, mut texts) = (super::super::Digest::of(b"x"), Vec::new());
        for host in [
            "registry",
            "localhost",
            "ghcr.io",
            "GHCR.io:443",
            "registry:443",
            "h:5000",
            "[::1]",
            "docker.io",
        ] {
            for repository in ["x", "team/x", "team/x.wasm"] {
                for version in
                    ["", ":1.0.0", ":1.wasm", ":x.WASM", &format!("@{digest}"), &format!(":1.wasm@{digest}")]
                {
                    texts.push(format!("oci://{host}/{repository}{version}"));
                }
            }
        }
        for version in ["", "@1.0.0", "@1.0.0-rc.1+b.2", "@1.2", "@^1", "@~1.2.3", "@*", "@>=1.2, <2"] {
            texts.push(format!("acme:x{version}"));
        }
        texts.extend(
            [
                "configmap/shop/x",
                "secret/shop/x/y.wasm",
                "x",
                "x-y",
                "./x",
                "../x.wasm",
                "/a/x",
                "x.wasm",
                "a b/x.wasm",
                "a:b.wasm",
                "acme/x",
                "acme/x@1",
                "x@1.0.0",
            ]
            .map(str::to_owned),
        );
        for text in texts {
            let source: Source = text.parse().unwrap();
            assert_eq!(source.to_string().parse(), Ok(source.clone()), "{text} is written as {source}");
        }
        for (text, written) in [
            ("oci://registry/team/x:1", "oci://registry/team/x:1"),
            ("oci://h.io/x:1.wasm", "oci://h.io/x:1.wasm"),
            ("oci://registry:443/x", "oci://registry/x:latest"),
            ("oci://ghcr.io/x:1", "ghcr.io/x:1"),
        ] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), written);
        }
    }
}
