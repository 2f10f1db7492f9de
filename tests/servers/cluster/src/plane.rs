//! The running programs of one cluster, and the order in which they come up.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::assets::Assets;
use crate::error::Error;
use crate::flags::{self, Ports};
use crate::folder::Folder;
use crate::node::Node;
use crate::process::Process;
use crate::program::Program;
use crate::setup::{self, Credentials};
use crate::supervisor::Stop;

/// The timeout for a cluster to become ready. A machine that builds something else at the same time needs
/// more than a few seconds.
const PATIENCE: Duration = Duration::from_mins(3);
/// The messages of a program about a port in use, on Unix and on Windows.
const TAKEN: [&str; 2] = ["address already in use", "Only one usage of each socket address"];

/// A control plane that is ready. Dropping it ends its programs, the youngest first.
pub(crate) struct Plane<'a> {
    assets: &'a Assets,
    folder: &'a Folder,
    stop: &'a Stop,
    ports: Ports,
    processes: Vec<Process>,
    deadline: Instant,
}

impl<'a> Plane<'a> {
    /// Starts every program that the assets have, and returns when the cluster is ready for a test.
    pub(crate) fn start(
        assets: &'a Assets,
        folder: &'a Folder,
        credentials: &Credentials,
        stop: &'a Stop,
        node: Option<&'a Node>,
    ) -> Result<Self, Error> {
        let ports = Ports::free()?;
        let deadline = Instant::now() + PATIENCE;
        let mut plane = Self { assets, folder, stop, ports, processes: Vec::new(), deadline };
        credentials.write_kubeconfigs(folder, &plane.server())?;
        setup::write_configuration(folder, ports.etcd)?;

        let controlled = assets.program(Program::KubeControllerManager).is_some();
        plane.run(Program::Etcd, &flags::etcd(ports))?;
        plane.wait_for_port("etcd that listens", ports.etcd)?;
        plane.run(Program::KubeApiserver, &flags::kube_apiserver(ports, controlled, node.is_some()))?;
        plane.wait_for_port("API server that listens", ports.api)?;
        plane.wait_for_api()?;

        let kwok = node.is_none() && plane.write_stages()?;
        for (program, flags) in [
            (Program::KubeControllerManager, flags::kube_controller_manager()),
            (Program::KubeScheduler, flags::kube_scheduler()),
            (Program::Kwok, flags::kwok(ports)),
        ] {
            if assets.program(program).is_some() && (program != Program::Kwok || kwok) {
                plane.run(program, &flags)?;
            }
        }
        plane.kubectl(&["create", "-f", "-"], &setup::objects(assets, node.is_none()))?;
        if let Some(node) = node {
            plane.furnish(node)?;
        }
        if controlled && (kwok || node.is_some()) {
            plane.wait_until_furnished()?;
        }
        Ok(plane)
    }

    /// Returns the API server's address.
    pub(crate) fn server(&self) -> String {
        format!("https://127.0.0.1:{}", self.ports.api)
    }

    /// Returns the programs that run.
    pub(crate) fn programs(&self) -> Vec<&'static str> {
        self.processes.iter().map(Process::name).collect()
    }

    /// Fails if a program has ended.
    pub(crate) fn check(&mut self) -> Result<(), Error> {
        for process in &mut self.processes {
            if let Some(status) = process.ended() {
                let (program, log) = (process.name(), process.log());
                return Err(if TAKEN.iter().any(|words| log.contains(words)) {
                    Error::PortTaken { program }
                } else {
                    Error::Ended { program, status, log }
                });
            }
        }
        Ok(())
    }

    fn run(&mut self, program: Program, flags: &[String]) -> Result<(), Error> {
        self.processes.push(Process::start(self.assets.launch(program), flags, self.folder.path())?);
        Ok(())
    }

    /// Starts the programs of a real node.
    fn furnish(&mut self, node: &Node) -> Result<(), Error> {
        for (launch, arguments) in node.runtime() {
            self.processes.push(Process::start(launch, &arguments, self.folder.path())?);
        }
        let import = || node.import().stdin(Stdio::null()).output().map_err(Error::at("ctr"));
        while !import()?.status.success() {
            self.pause("containerd that takes an image")?;
        }
        for (launch, arguments) in node.agents() {
            self.processes.push(Process::start(launch, &arguments, self.folder.path())?);
        }
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "no guest is involved: it asks whether a program listens")]
    fn wait_for_port(&mut self, awaited: &'static str, port: u16) -> Result<(), Error> {
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            self.pause(awaited)?;
        }
        // The port may be another program's: it is ours only if ours has not ended for want of it.
        self.check()
    }

    fn wait_for_api(&mut self) -> Result<(), Error> {
        loop {
            match self.kubectl(&["get", "--raw", "/readyz"], "") {
                Ok(answer) if answer == "ok" => return Ok(()),
                Ok(_) | Err(Error::Kubectl { .. }) => self.pause("API server that is ready")?,
                Err(e) => return Err(e),
            }
        }
    }

    fn wait_until_furnished(&mut self) -> Result<(), Error> {
        let query = [&["get", "--output=json", "--ignore-not-found"], &setup::AWAITED[..]].concat();
        loop {
            let state = self.kubectl(&query, "")?;
            // If nothing is found, there is no output at all.
            let state: Value = serde_json::from_str(&state).unwrap_or_default();
            match setup::lacks(&state) {
                Some(lacked) => self.pause(lacked)?,
                None => return Ok(()),
            }
        }
    }

    /// Writes what kwok plays, if the assets have kwok and its stages.
    fn write_stages(&self) -> Result<bool, Error> {
        let (Some(_kwok), Some(stages)) =
            (self.assets.program(Program::Kwok), self.assets.program(Program::KwokStages))
        else {
            return Ok(false);
        };
        let output = Command::new(&stages).stdin(Stdio::null()).output().map_err(Error::at(&stages))?;
        self.folder.write("stages.yaml", output.stdout)?;
        Ok(true)
    }

    /// Waits a moment. Fails if waiting is pointless.
    fn pause(&mut self, awaited: &'static str) -> Result<(), Error> {
        self.check()?;
        if self.stop.within(Duration::from_millis(20)) {
            return Err(Error::Stopped);
        }
        if Instant::now() < self.deadline {
            return Ok(());
        }
        let logs = self.processes.iter().map(|process| format!("{}:\n{}", process.name(), process.log()));
        let logs = logs.collect::<Vec<_>>().join("\n");
        Err(Error::Late { awaited, seconds: PATIENCE.as_secs(), logs })
    }

    /// Runs kubectl as admin, with `input` on its standard input, and returns its output.
    fn kubectl(&mut self, arguments: &[&str], input: &str) -> Result<String, Error> {
        let mut command = Command::new(self.assets.path(Program::Kubectl));
        let config = self.folder.join(&setup::file_of("admin"));
        command.args(arguments).arg("--request-timeout=10s");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            alone(&mut command, self.folder.path(), &config).spawn().map_err(Error::at("kubectl"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // Fails only if kubectl has ended, and then its own message says why.
            let _written = stdin.write_all(input.as_bytes());
        }
        // What it prints fits into the pipes, so that it ends without being read.
        let succeeded = self.wait_for(&mut child)?;
        let (mut output, mut complaint) = (String::new(), String::new());
        if let (Some(mut out), Some(mut err)) = (child.stdout.take(), child.stderr.take()) {
            out.read_to_string(&mut output).map_err(Error::at("kubectl"))?;
            err.read_to_string(&mut complaint).map_err(Error::at("kubectl"))?;
        }
        if succeeded {
            return Ok(output);
        }
        Err(Error::Kubectl { arguments: arguments.join(" "), output: complaint.trim().to_owned() })
    }

    /// Waits for kubectl, and returns whether it succeeded. Ends it if waiting is pointless.
    fn wait_for(&mut self, child: &mut Child) -> Result<bool, Error> {
        loop {
            if let Some(status) = child.try_wait().map_err(Error::at("kubectl"))? {
                return Ok(status.success());
            }
            if let Err(e) = self.pause("answer to kubectl") {
                // Both fail only if it has ended.
                let _killed = child.kill();
                let _status = child.wait();
                return Err(e);
            }
        }
    }
}

impl Drop for Plane<'_> {
    fn drop(&mut self) {
        // Before any container ends: a kubelet would start it again. And the API server would complain of a store that has gone.
        while self.processes.pop().is_some() {}
    }
}

/// Keeps kubectl to the cluster's folder: neither the user's cache nor the user's preferences are for tests.
pub(crate) fn alone<'a>(
    command: &'a mut Command,
    dir: &std::path::Path,
    config: &std::path::Path,
) -> &'a mut Command {
    command.env("KUBECONFIG", config).env("KUBECACHEDIR", dir.join("kubectl-cache")).env("KUBERC", "off")
}
