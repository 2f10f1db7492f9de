//! An answer of the cluster, with everything that came with it.

use kube_guest::{Cluster, Error};
use std::io::{self, Write};

/// Gets `path` and prints status, headers, body and trailers, or the reason why there is no answer.
pub(crate) fn dump(path: &str, out: &mut impl Write) -> io::Result<()> {
    match Cluster::from_env().and_then(|cluster| cluster.exchange("GET", path, &[], &[])) {
        Ok(mut response) => {
            writeln!(out, "status {}", response.status())?;
            for (name, value) in response.headers() {
                writeln!(out, "header {name}: {}", String::from_utf8_lossy(value))?;
            }
            loop {
                match response.chunk(kube_guest::CHUNK) {
                    Ok(Some(chunk)) => out.write_all(&chunk)?,
                    Ok(None) => break writeln!(out)?,
                    Err(error) => return refused(&error, out),
                }
            }
            match response.trailers() {
                Ok(trailers) => {
                    for (name, value) in trailers {
                        writeln!(out, "trailer {name}: {}", String::from_utf8_lossy(&value))?;
                    }
                    Ok(())
                }
                Err(error) => refused(&error, out),
            }
        }
        Err(error) => refused(&error, out),
    }
}

/// Writes the whole error, as in a debugger: a secret might be in the part that is not shown to users.
fn refused(error: &Error, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "refused: {error}\n{error:?}")
}
