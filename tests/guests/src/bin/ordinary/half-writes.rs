//! `half-writes POST|PATCH NAMESPACE NAME SIZE BYTES trap|exit|stall|finish`: writes an object that holds a text of SIZE bytes, as YAML that
//! may end anywhere in the text and is an object still; after BYTES bytes of the text it traps, exits, sends no more, or goes on.

use kube_guest::{Cluster, Error};
use std::time::Duration;

struct Plan {
    method: String,
    namespace: String,
    name: String,
    size: usize,
    bytes: usize,
    then: String,
}

fn main() {
    let Some(plan) = plan(std::env::args().skip(1)) else {
        eprintln!("usage: half-writes POST|PATCH NAMESPACE NAME SIZE BYTES trap|exit|stall|finish");
        kube_guest::exit(2)
    };
    match write(&plan) {
        Ok(status) => println!("status {status}"),
        Err(error) => {
            eprintln!("half-writes: {error}");
            kube_guest::exit(1)
        }
    }
}

fn plan(mut arguments: impl Iterator<Item = String>) -> Option<Plan> {
    Some(Plan {
        method: arguments.next()?,
        namespace: arguments.next()?,
        name: arguments.next()?,
        size: arguments.next()?.parse().ok()?,
        bytes: arguments.next()?.parse().ok()?,
        then: arguments.next()?,
    })
}

fn write(plan: &Plan) -> Result<u16, Error> {
    let Plan { method, namespace, name, size, bytes, then } = plan;
    let folder = format!("/api/v1/namespaces/{namespace}/configmaps");
    let (path, kind) = if method == "PATCH" {
        (format!("{folder}/{name}?fieldManager=half-writes&force=true"), "application/apply-patch+yaml")
    } else {
        (folder, "application/yaml")
    };
    let head = format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  whole: {:?}\n  text: |\n    ",
        size.to_string()
    );
    let text = vec![b'x'; *size];
    let mut upload = Cluster::from_env()?.upload(method, &path, &[("content-type", kind)])?;
    let (first, rest) = text.split_at((*bytes).min(text.len()));
    upload.send(head.as_bytes())?;
    for piece in first.chunks(1000) {
        upload.send(piece)?;
    }
    match then.as_str() {
        "trap" => std::process::abort(),
        "exit" => kube_guest::exit(3),
        "stall" => {
            eprintln!("half-writes: stalling");
            loop {
                std::thread::sleep(Duration::from_hours(1));
            }
        }
        _ => upload.send(rest)?,
    };
    Ok(upload.finish()?.status())
}
