//! `kwasm policy embed FILE --request FILE [-o FILE]`: writes a request into a component.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::document::Fault;
use crate::environment::Environment;
use crate::inspect::{self, Inspected, LONGEST_REQUEST};
use crate::platform::disk;
use crate::platform::stdio::Stdout;
use crate::policy::Policy;
use crate::registry::{self, Artifact, LIMIT};

use super::policy::from_file;
use super::save::STREAM;
use super::{Ending, Error, Reporter};

/// The options of the command.
pub(super) struct Wish {
    pub(super) file: PathBuf,
    pub(super) request: PathBuf,
    /// The file to write; the component itself if `None`.
    pub(super) output: Option<PathBuf>,
}

pub(super) fn embed(environment: &Environment, reporter: Reporter, wish: &Wish) -> Result<Ending, Error> {
    let Wish { file, request, output } = wish;
    let place = output.as_ref().unwrap_or(file);
    let is_stream = output.as_deref() == Some(Path::new(STREAM));
    if is_stream && environment.terminal {
        let command = "kwasm policy embed FILE --request FILE.yaml -o FILE";
        return Err(Error::Terminal { what: "a component", command });
    }
    let request = Request::read(request)?;
    let embedded = request.embed(file, &Artifact::from_file(file)?)?;
    if is_stream {
        return Stdout.write_all(embedded.bytes()).map_err(Error::Stdout).map(|()| Ending::Done);
    }
    disk::output(place, embedded.bytes())
        .map_err(|source| Error::Unwritten { path: place.clone(), source })?;
    let (name, digest) = (request.policy.name(), embedded.digest().short());
    reporter.note(&format!("wrote the request `{name}` into {} ({digest})", place.display()));
    Ok(Ending::Done)
}

/// A request that an author wrote: a valid policy, and short enough.
pub(super) struct Request {
    policy: Policy,
    text: String,
}

impl Request {
    /// Reads a request from a file.
    ///
    /// # Errors
    /// If the file cannot be read, is not a valid policy, or is too large for a request.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let (policy, text) = from_file(path)?;
        if text.len() > LONGEST_REQUEST {
            let what = format!("it has {} bytes, and a request has at most {LONGEST_REQUEST}", text.len());
            let fault = Fault::whole(path.display().to_string(), what, "shorten its comments and reasons");
            return Err(Error::Policy(vec![fault]));
        }
        Ok(Self { policy, text })
    }

    /// Returns the content of a file with this request in place of any that it has.
    ///
    /// # Errors
    /// If the result could not be run.
    pub(super) fn embed(&self, file: &Path, content: &Artifact) -> Result<Artifact, Error> {
        let path = || file.display().to_string();
        let unfit = |source| Error::Inspect { path: path(), source };
        let embedded = inspect::embed(content.bytes(), &self.text).map_err(unfit)?;
        Inspected::read(&embedded).map_err(unfit)?;
        let size = embedded.len() as u64;
        if size > LIMIT {
            return Err(registry::Error::TooLarge { what: path(), size }.into());
        }
        Ok(Artifact::from_bytes(embedded))
    }
}
