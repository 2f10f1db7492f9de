//! `wasi3 COMMAND ARGUMENT…`: does what an ordinary plugin does, or what a hostile one may try, by WASI 0.3.
//!
//! A hostile command that succeeds prints `done: WHAT IT GOT`; one that fails prints `failed: WHY` to stderr and
//! ends with 1, as the guests for 0.2 do (`guests::attempt`), so that the same test runs either.

#[path = "../../src/event.rs"]
pub mod event;
mod hostile;
mod ordinary;
mod out;
mod play;
mod request;
mod script;
mod socket;

use std::str::FromStr;

wasip3::cli::command::export!(Guest);

struct Guest;

/// The words of the command line behind the command.
struct Words(std::vec::IntoIter<String>);

impl Words {
    fn next(&mut self, default: &str) -> String {
        self.0.next().unwrap_or_else(|| default.to_owned())
    }

    fn number<T: FromStr + Default>(&mut self, default: &str) -> T {
        self.next(default).parse().unwrap_or_default()
    }
}

impl wasip3::exports::cli::run::Guest for Guest {
    async fn run() -> Result<(), ()> {
        let mut words = Words(
            wasip3::cli::environment::get_arguments().into_iter().skip(1).collect::<Vec<_>>().into_iter(),
        );
        let command = words.next("");
        let told = match command.as_str() {
            "get" | "count" | "follow" | "upload" | "follow-many" | "exit" | "spin" | "sleep" | "trap"
            | "wait" | "echo" => {
                return ordinary::run(&command, &mut words).await;
            }
            "play" => return play::run(&words.next("")).await,
            _ => hostile::run(&command, &mut words).await,
        };
        match told {
            Ok(got) => out::print(format!("done: {got}\n")).await,
            Err(why) => {
                out::complain(format!("failed: {why}\n")).await?;
                Err(())
            }
        }
    }
}
