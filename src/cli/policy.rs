//! `kwasm policy …` as clap reads it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Subcommand;

use super::command::{PolicyCommand, Verbosity};
use super::error::{Error, texts};
use super::form::Form;
use crate::environment::Connection;

// The commands about policies.
#[derive(Subcommand)]
#[command(defer = true)]
pub(super) enum PolicyVerb {
    /// Check that files are valid policies, and report what is wrong with them
    Check {
        /// The files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Write the policy that a component asks for into it
    Embed {
        /// The component (./x.wasm)
        file: PathBuf,
        /// The policy that it asks for (./x.yaml)
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
        /// Write to this file, or - for stdout, and leave the component as it is
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Show how the API server reads a request, and whether a policy allows it
    Explain {
        /// The request's method, e.g. GET
        method: String,
        /// The request's path and query, e.g. '/api/v1/namespaces/shop/pods?watch=1'
        path: String,
        /// The policy's name or file
        #[arg(long, value_name = "NAME|FILE")]
        policy: Option<String>,
        /// The policy that a plugin requests, which limits the other
        #[arg(long, value_name = "NAME|FILE", requires = "policy")]
        request: Option<String>,
        /// The namespace that `current` means in the policy [default: default]
        #[arg(short, long)]
        namespace: Option<String>,
        #[command(flatten)]
        form: Form,
    },
    /// Show what an installed plugin may do, and which policy each line comes from
    Show {
        /// The plugin's name
        name: String,
        #[command(flatten)]
        form: Form,
    },
    /// Grant an installed plugin more rules, or another policy
    Grant {
        /// The plugin's name
        name: String,
        /// The policy that replaces its grant: request (what it asks for), a name, or a file
        #[arg(value_name = "NAME|FILE", required_unless_present = "rules")]
        policy: Option<String>,
        /// A rule to add, as in a policy on one line: '{apiGroups: [apps], resources: [deployments], verbs: [list]}'
        #[arg(long = "rule", value_name = "RULE", conflicts_with = "policy")]
        rules: Vec<String>,
    },
    /// Take rules away from what an installed plugin is granted
    Revoke {
        /// The plugin's name
        name: String,
        /// A rule to remove, as kwasm policy show prints it
        #[arg(long = "rule", value_name = "RULE")]
        rules: Vec<String>,
        /// Remove all that it is granted: rules, hosts, folders, variables
        #[arg(long, conflicts_with = "rules", required_unless_present = "rules")]
        all: bool,
    },
    /// Run a component, and write the smallest policy that covers what it does
    Learn {
        /// A file (./x.wasm), an installed plugin, HOST/REPOSITORY:TAG or NAMESPACE:NAME[@VERSION]
        source: String,
        /// Let it do all that you may do; without it, it may only read, secrets and logs too
        #[arg(long)]
        allow_writes: bool,
        /// Name the objects that it used, instead of all of their kind
        #[arg(long)]
        keep_names: bool,
        /// Write the policy to this file, or - for stdout [default: to the terminal, when the plugin has ended]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// The plugin's own arguments
        #[arg(last = true, value_name = "ARG")]
        arguments: Vec<OsString>,
    },
    /// Print roles for the same rules, by which an API server limits a service account
    Role {
        /// An installed plugin, a policy's name, or a file (./x.yaml)
        #[arg(value_name = "NAME|FILE")]
        subject: String,
        /// The service account [default: a new one in the current namespace, kwasm-NAME]
        #[arg(long, value_name = "NAMESPACE:NAME")]
        service_account: Option<String>,
        #[command(flatten, next_help_heading = "kubectl's connection flags")]
        connection: Connection,
    },
    /// Print the JSON schema of policies, for editors
    Schema,
}

impl PolicyVerb {
    pub(super) fn command(self, verbosity: Verbosity) -> Result<PolicyCommand, Error> {
        Ok(match self {
            Self::Check { files } => PolicyCommand::Check { files },
            Self::Embed { file, request, output } => PolicyCommand::Embed { file, request, output },
            Self::Explain { method, path, policy, request, namespace, form } => {
                PolicyCommand::Explain { method, path, policy, request, namespace, output: form.of_one() }
            }
            Self::Show { name, form } => PolicyCommand::Show { name: name.parse()?, output: form.of_one() },
            Self::Grant { name, rules, policy } => {
                PolicyCommand::Grant { name: name.parse()?, rules, policy }
            }
            Self::Revoke { name, rules, all: _ } => PolicyCommand::Revoke { name: name.parse()?, rules },
            Self::Learn { source, allow_writes, keep_names, output, arguments } => PolicyCommand::Learn {
                source: source.parse()?,
                allow_writes,
                keep_names,
                output,
                verbosity,
                arguments: texts(arguments)?,
            },
            Self::Role { subject, service_account, connection } => PolicyCommand::Role {
                subject,
                account: service_account.map(|account| account.parse()).transpose()?,
                connection,
                verbosity,
            },
            Self::Schema => PolicyCommand::Schema,
        })
    }
}
