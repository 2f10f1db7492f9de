//! `kwasm index` as clap reads it.

use std::path::PathBuf;

use clap::Subcommand;

use super::command::IndexCommand;
use super::error::Error;
use super::form::Form;
use crate::environment::Environment;
use crate::reference::{Image, IndexName};

#[derive(Subcommand)]
#[command(defer = true)]
pub(super) enum IndexVerb {
    /// Add an index, whose plugins can be searched and installed by their names from then on
    Add {
        /// Its name on this machine
        name: String,
        /// A file (./x.json) or HOST/REPOSITORY:TAG
        source: String,
    },
    /// Make an index of descriptions of plugins
    Build {
        /// The folder of the descriptions, a YAML file for each plugin
        folder: PathBuf,
        /// Write to this file, or - for stdout
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// A number that grows with each edition [default: the time, in seconds]
        #[arg(long, value_name = "NUMBER")]
        revision: Option<u64>,
    },
    /// List the indexes
    List(Form),
    /// Publish an index to a registry
    Publish {
        /// The index that `kwasm index build` made
        file: PathBuf,
        /// HOST/REPOSITORY:TAG
        image: String,
        /// Sign it with a private key: PKCS #8 in PEM, of P-256 or Ed25519
        #[arg(long, value_name = "KEY")]
        sign: Option<PathBuf>,
        #[command(flatten)]
        form: Form,
    },
    /// Remove indexes. Plugins that were installed from them stay
    #[command(visible_alias = "rm")]
    Remove {
        /// The indexes' names
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Fetch the newest editions of indexes
    Update {
        /// The indexes' names [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
}

impl IndexVerb {
    pub(super) fn command(self, environment: &Environment) -> Result<IndexCommand, Error> {
        Ok(match self {
            Self::Add { name, source } => IndexCommand::Add { name: name.parse()?, source: source.parse()? },
            Self::Build { folder, output, revision } => IndexCommand::Build { folder, output, revision },
            Self::List(form) => IndexCommand::List { output: form.of_list(environment) },
            Self::Publish { file, image, sign, form } => {
                let target: Image = image.parse()?;
                if target.digest().is_some() {
                    return Err(Error::Pinned(image));
                }
                IndexCommand::Publish { file, image: target, key: sign, output: form.of_one() }
            }
            Self::Remove { names } => IndexCommand::Remove { names: indexes(&names)? },
            Self::Update { names } => IndexCommand::Update { names: indexes(&names)? },
        })
    }
}

fn indexes(names: &[String]) -> Result<Vec<IndexName>, Error> {
    names.iter().map(|name| Ok(name.parse()?)).collect()
}
