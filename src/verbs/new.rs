//! `kwasm new NAME [--lang LANGUAGE]`: creates the project of a plugin.

use std::io;
use std::path::Path;

use crate::build::Language;
use crate::platform::disk;
use crate::reference::PluginName;
use crate::template;

use super::{Ending, Error, Reporter};

pub(super) fn project(reporter: Reporter, name: &PluginName, language: Language) -> Result<Ending, Error> {
    let folder = Path::new(name.as_str());
    disk::tree(folder, &template::project(name, language)).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => Error::Exists(folder.to_owned()),
        _ => Error::Unwritten { path: folder.to_owned(), source },
    })?;
    reporter.note(&format!("created {name}: a plugin in {language} that lists pods and watches them. Next:"));
    let file = Path::new(".").join(format!("{name}.wasm"));
    let file = file.display();
    let build = [
        format!("cd {name}"),
        "kwasm build".to_owned(),
        format!("kwasm run {file} -- -n default"),
        format!("kwasm install {file}"),
        format!("kubectl {name} --watch"),
    ];
    let (enter, rest) = build.split_at(1);
    for step in enter.iter().chain(&template::preparation(language)).chain(rest) {
        reporter.note(&format!("  {step}"));
    }
    Ok(Ending::Done)
}
