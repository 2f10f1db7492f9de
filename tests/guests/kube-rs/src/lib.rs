//! The commands of the guests `kube-client` and `kube-client-http`, written once against kube-rs' API.
//!
//! A guest adds the door that carries a client's requests out of the sandbox. The same command gives the same
//! output through either.
//!
//! ```no_run
//! use kube::{Client, Config, Error};
//! use kube_rs_guests::Door;
//!
//! struct Sockets;
//!
//! impl Door for Sockets {
//!     const UPGRADES: bool = true;
//!
//!     fn client(config: Config) -> Result<Client, Error> {
//!         Client::try_from(config)
//!     }
//! }
//!
//! kube_rs_guests::run::<Sockets>()
//! ```

mod arguments;
mod config_maps;
mod contexts;
mod door;
mod error;
mod logs;
mod pods;
mod port_forward;
mod process;
mod stdin;
mod stdout;
mod target;

pub use door::Door;

use arguments::Command;
use error::Error;
use std::io::Write as _;
use tokio::runtime::{Builder, Runtime};

/// Does what the command line says, and ends the guest: with 0, with 1 and an `error: WHY`, with 2 if it was called
/// wrongly, or with the exit code of the process in a pod.
pub fn run<D: Door>() -> ! {
    let done = arguments::parse(std::env::args().skip(1))
        .and_then(|command| runtime()?.block_on(carry_out::<D>(&command)));
    end(done)
}

/// Does the same as [`run`], where something else than tokio waits for what the door needs.
pub async fn run_within<D: Door>() -> ! {
    let done = async {
        let command = arguments::parse(std::env::args().skip(1))?;
        let runtime = runtime()?;
        let mut carried_out = std::pin::pin!(carry_out::<D>(&command));
        std::future::poll_fn(|context| {
            runtime.block_on(async {
                let polled = carried_out.as_mut().poll(context);
                // Then kube-rs' own task, which passes requests on and is woken by nothing else.
                tokio::task::yield_now().await;
                polled
            })
        })
        .await
    };
    end(done.await)
}

fn runtime() -> Result<Runtime, Error> {
    Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)
}

fn end(done: Result<(), Error>) -> ! {
    match done {
        Ok(()) => kube_guest::finish("kube-client", Ok(())),
        Err(Error::Output(error)) => kube_guest::finish("kube-client", Err(error)),
        Err(Error::Exited(code)) => kube_guest::exit(code),
        Err(Error::Usage(why)) => {
            eprintln!("error: {why}\n{}", arguments::USAGE);
            kube_guest::exit(2)
        }
        Err(error) => {
            // Earlier output has to come first if both go to the same terminal.
            drop(std::io::stdout().flush());
            eprintln!("error: {}", error.shown());
            kube_guest::exit(1)
        }
    }
}

async fn carry_out<D: Door>(command: &Command) -> Result<(), Error> {
    if let Some(name) = command.upgrades().filter(|_| !D::UPGRADES) {
        return Err(Error::NoUpgrades(name));
    }
    if let Command::Contexts = command {
        return contexts::show::<D>().await;
    }
    let client = target::client::<D>().await?;
    match command {
        Command::Attach { pod, stdin } => process::attach(client, pod, *stdin).await,
        Command::Contexts => Ok(()),
        Command::Create { name, key, value } => config_maps::create(client, name, key, value).await,
        Command::Delete { name } => config_maps::delete(client, name).await,
        Command::Exec { pod, line, stdin } => process::exec(client, pod, line, *stdin).await,
        Command::Get { name } => config_maps::get(client, name).await,
        Command::GetMany { name, times } => config_maps::get_many(client, name, *times).await,
        Command::List => config_maps::list(client).await,
        Command::Logs { pod, follow, lines } => logs::show(client, pod, *follow, *lines).await,
        Command::Patch { name, key, value } => config_maps::patch(client, name, key, value).await,
        Command::Pods => pods::count(client).await,
        Command::PortForward { pod, port, linger } => port_forward::talk(client, pod, *port, *linger).await,
        Command::Watch { count } => config_maps::watch(client, *count).await,
    }
}
