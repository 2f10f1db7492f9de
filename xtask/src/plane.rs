//! A real control plane for the duration of a command, and functions to create objects there.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::{cluster, home::Home, places::Places, process};

/// A control plane that ends when its supervisor's standard input is closed.
pub(crate) struct ControlPlane {
    supervisor: Child,
    ready: Value,
}

impl ControlPlane {
    pub(crate) fn start(places: &Places) -> Result<Self> {
        let program = cluster::supervisor(places)?;
        process::run(cluster::command(places, &program).arg("build"))?;
        let mut supervisor = cluster::command(places, &program)
            .arg("serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the supervisor")?;
        let line = first_line(&mut supervisor)?;
        let ready = serde_json::from_str(&line).context("the control plane did not become ready")?;
        Ok(Self { supervisor, ready })
    }

    fn text(&self, pointer: &str) -> Result<&str> {
        self.ready.pointer(pointer).and_then(Value::as_str).context("the supervisor's line is incomplete")
    }

    /// Returns scheme, host and port of the API server.
    pub(crate) fn server(&self) -> Result<&str> {
        self.text("/server")
    }

    /// Returns a file in the folder of its certificates.
    pub(crate) fn file(&self, name: &str) -> Result<PathBuf> {
        Ok(PathBuf::from(self.text("/dir")?).join(name))
    }

    /// Returns the log of its pods.
    pub(crate) fn pod_log(&self) -> Result<PathBuf> {
        self.text("/podLog").map(PathBuf::from)
    }

    /// Makes a command use the same user on both sides, with a client certificate, as in most clusters.
    pub(crate) fn as_user<'a>(&self, command: &'a mut Command) -> Result<&'a mut Command> {
        Ok(command.env("KUBECONFIG", self.text("/users/carol")?))
    }

    /// Makes a command use the same administrator on both sides, for requests that users may not make.
    pub(crate) fn as_admin<'a>(&self, command: &'a mut Command) -> Result<&'a mut Command> {
        Ok(command.env("KUBECONFIG", self.text("/users/admin")?))
    }

    /// Returns a command of kubectl, in the server's version and with kwasm's home.
    pub(crate) fn kubectl(&self, home: &Home) -> Result<Command> {
        home.command(self.text("/kubectl")?)
    }

    /// Creates objects, as the administrator.
    pub(crate) fn create(&self, home: &Home, objects: &Value) -> Result<()> {
        let mut kubectl = self.kubectl(home)?;
        let command = self.as_admin(&mut kubectl)?.args(["create", "--validate=false", "-f", "-"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        let mut stdin = child.stdin.take().context("kubectl has no input")?;
        stdin.write_all(objects.to_string().as_bytes())?;
        drop(stdin);
        let status = child.wait()?;
        if !status.success() {
            bail!("`kubectl create` failed: {status}");
        }
        Ok(())
    }

    /// Creates a pod in `default` and waits until it is running.
    pub(crate) fn run_pod(&self, home: &Home, name: &str) -> Result<()> {
        let containers = json!([{"name": "main", "image": "none"}]);
        self.create(
            home,
            &json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"},
                "spec": {"containers": containers},
            }),
        )?;
        let mut kubectl = self.kubectl(home)?;
        let wait = ["wait", "--for=condition=Ready", "--timeout=60s", &format!("pod/{name}")];
        process::output(self.as_admin(&mut kubectl)?.args(wait)).map(drop)
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        drop(self.supervisor.wait());
    }
}

/// `kubectl proxy`, which serves the API server in plain HTTP with an administrator's rights.
pub(crate) struct Proxy {
    child: Child,
    address: String,
}

impl Proxy {
    pub(crate) fn start(plane: &ControlPlane, home: &Home) -> Result<Self> {
        let mut kubectl = plane.kubectl(home)?;
        let command = plane.as_admin(&mut kubectl)?.args(["proxy", "--port=0"]);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start `kubectl proxy`")?;
        // Starting to serve on 127.0.0.1:38457
        let line = first_line(&mut child)?;
        let address = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        Ok(Self { child, address })
    }

    /// Opens a connection for sequential requests.
    #[expect(clippy::disallowed_methods, reason = "the ban is for the host; this is a tool of the house")]
    pub(crate) fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(&self.address).context("cannot reach `kubectl proxy`")?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream: BufReader::new(stream), host: self.address.clone() })
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        process::end(&mut self.child);
    }
}

/// A connection to the API server in plain HTTP.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    host: String,
}

impl Connection {
    /// Creates an object in a collection.
    pub(crate) fn post(&mut self, path: &str, object: &Value) -> Result<()> {
        let body = object.to_string();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut status = String::new();
        self.stream.read_line(&mut status)?;
        let mut length = 0;
        loop {
            let mut header = String::new();
            self.stream.read_line(&mut header)?;
            match header.split_once(':') {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.trim().parse().context("a length that is no number")?;
                }
                Some(_) => {}
                None => break,
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer)?;
        if !status.starts_with("HTTP/1.1 201") {
            bail!("POST {path}: {status}{}", String::from_utf8_lossy(&answer));
        }
        Ok(())
    }
}

fn first_line(child: &mut Child) -> Result<String> {
    let stdout = child.stdout.take().context("a program without output")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    Ok(line)
}
