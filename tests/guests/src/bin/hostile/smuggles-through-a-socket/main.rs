//! `smuggles-through-a-socket [WAY] [--path PATH] [--secret PATH]`: hides a request for a secret in the body
//! of another request, to PATH, in each of the ways that make two readers of the same bytes see different
//! ends of that body; or in one of them. Succeeds if a server answers more than one request. Defence: a
//! message whose end is in doubt is refused, and what follows a body is a request, judged like any other.

mod ways;

use guests::attempt::{self, Arguments, Socket};
use ways::{WAYS, Way};

fn main() {
    let usage = "smuggles-through-a-socket [WAY] [--path PATH] [--secret PATH]";
    let mut arguments = Arguments::of(usage);
    let path =
        arguments.option("--path").unwrap_or_else(|| "/api/v1/namespaces/default/configmaps".to_owned());
    let secret =
        arguments.option("--secret").unwrap_or_else(|| "/api/v1/namespaces/default/secrets".to_owned());
    let [wanted] = arguments.values([""]);
    let ways: Vec<&Way> = WAYS.iter().filter(|way| wanted.is_empty() || way.name == wanted).collect();
    if ways.is_empty() {
        Arguments::of(usage).wrong()
    }
    attempt::tell_each(ways.into_iter().map(|way| (way.name.to_owned(), smuggle(way, &path, &secret))))
}

fn smuggle(way: &Way, path: &str, secret: &str) -> Result<String, String> {
    let mut socket = Socket::open()?;
    socket.send(way.bytes(path, secret))?;
    socket.end()?;
    let (mut shown, mut of_servers) = (Vec::new(), 0);
    let end = loop {
        match socket.answer() {
            Ok(Some(reply)) => {
                of_servers += usize::from(!reply.is_kwasm());
                shown.push(reply.shown());
            }
            Ok(None) => break None,
            Err(why) => break Some(why),
        }
    };
    let told = shown.into_iter().chain(end).collect::<Vec<_>>().join(", ");
    if of_servers > 1 { Ok(told) } else { Err(told) }
}
