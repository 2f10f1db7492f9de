//! The input and output of a command through an upgraded connection: a WebSocket to one in a pod, SPDY to one
//! behind a port.

use crate::arguments::{Direction, Plan, Way};
use guests::doors::{Spdy, WebSocket};
use kube_guest::{Cluster, Path};
use std::io::{self, Error};

/// The channels of a command in a pod (`v5.channel.k8s.io`).
const STDIN: u8 = 0;
const STDOUT: u32 = 1;

/// The port with a command behind it.
const PORT: &str = "1";

/// A command that runs.
pub(crate) struct Stream(Kind);

enum Kind {
    Exec(WebSocket),
    Forward { connection: Spdy, data: u32 },
}

impl Stream {
    pub(crate) fn open(plan: &Plan) -> io::Result<Self> {
        let cluster = Cluster::from_env().map_err(Error::other)?;
        let subresource = match plan.way {
            Way::Exec => "exec",
            Way::Forward => "portforward",
        };
        let path = ["api", "v1", "namespaces", cluster.namespace(), "pods", &plan.pod, subresource];
        let path = Path::new(path).map_err(Error::other)?;
        match plan.way {
            Way::Exec => Self::exec(plan, path),
            Way::Forward => Self::forward(plan, &path),
        }
    }

    fn exec(plan: &Plan, mut path: Path) -> io::Result<Self> {
        for word in &plan.command {
            path = path.query("command", word);
        }
        path = path.query("stdout", "true").query("stderr", "true");
        if matches!(plan.direction, Direction::Send(_)) {
            path = path.query("stdin", "true");
        }
        Ok(Self(Kind::Exec(WebSocket::open(path.as_ref(), "v5.channel.k8s.io")?)))
    }

    fn forward(plan: &Plan, path: &Path) -> io::Result<Self> {
        let mut connection = Spdy::open(path.as_ref(), "portforward.k8s.io")?;
        let headers = |kind| [("port", PORT), ("requestid", "0"), ("streamtype", kind)];
        connection.stream(&headers("error"))?;
        let data = connection.stream(&headers("data"))?;
        let mut stream = Self(Kind::Forward { connection, data });
        stream.send(format!("{}\n", plan.command.join(" ")).as_bytes())?;
        Ok(stream)
    }

    /// Sends input to the command.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            Kind::Exec(socket) => socket.send(STDIN, bytes),
            Kind::Forward { connection, data } => connection.send(*data, bytes),
        }
    }

    /// Passes the command's output to `take`, until that returns `false` or the command has ended.
    pub(crate) fn each(&mut self, mut take: impl FnMut(&[u8]) -> io::Result<bool>) -> io::Result<()> {
        loop {
            let (message, output) = match &mut self.0 {
                Kind::Exec(socket) => (socket.receive()?, STDOUT),
                Kind::Forward { connection, data } => (Some(connection.receive()?), *data),
            };
            let Some(message) = message else { return Ok(()) };
            if message.channel == output {
                if !take(message.bytes)? {
                    return Ok(());
                }
            } else {
                // The ending, or the reason why there is none.
                let text = String::from_utf8_lossy(message.bytes);
                return if text.contains("\"Success\"") {
                    Ok(())
                } else {
                    Err(Error::other(text.into_owned()))
                };
            }
        }
    }

    /// Returns the first line that the command writes.
    pub(crate) fn line(&mut self) -> io::Result<String> {
        let mut text = Vec::new();
        self.each(|piece| {
            text.extend_from_slice(piece);
            Ok(!text.contains(&b'\n'))
        })?;
        Ok(String::from_utf8_lossy(&text).trim_end().to_owned())
    }
}
