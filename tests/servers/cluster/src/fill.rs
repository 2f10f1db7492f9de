//! Filling a cluster, so that it is like one that people use.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::filled;
use crate::kubeconfig::User;
use crate::plane::alone;
use crate::ready::Ready;
use crate::setup;

/// The timeout for all pods to run.
const PATIENCE: Duration = Duration::from_mins(5);

impl Ready {
    /// Creates the objects of [`filled`], and waits until their pods run or have ended. Objects that exist are left as they
    /// are.
    ///
    /// # Errors
    /// If kubectl fails, or the pods are not there in time.
    pub fn fill(&self) -> Result<(), Error> {
        self.create(&filled::foundations().to_string())?;
        let established = ["wait", "--for=condition=Established", "crd/parcels.example.com", "--timeout=60s"];
        self.kubectl(&established)?;
        self.create(&filled::contents().to_string())?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let phases = self.kubectl(&["get", "pods", "-A", "-o", "jsonpath={.items[*].status.phase}"])?;
            let settled = phases.split_whitespace().filter(|phase| matches!(*phase, "Running" | "Succeeded"));
            if settled.count() >= filled::PODS {
                return Ok(());
            }
            if Instant::now() > deadline {
                let seconds = PATIENCE.as_secs();
                return Err(Error::Late { awaited: "cluster of 2,000 pods", seconds, logs: String::new() });
            }
            thread::sleep(Duration::from_secs(1));
        }
    }

    fn create(&self, list: &str) -> Result<(), Error> {
        let path = self.dir.join("filled.json");
        fs::write(&path, list).map_err(Error::at(&path))?;
        let path = path.display().to_string();
        self.kubectl(&["apply", "--server-side", "--validate=ignore", "-f", &path]).map(drop)
    }

    fn kubectl(&self, arguments: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(&self.kubectl);
        let config = self.dir.join(setup::file_of(User::Admin.name()));
        command.args(arguments).stdin(Stdio::null());
        let output = alone(&mut command, &self.dir, &config).output().map_err(Error::at("kubectl"))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::Kubectl { arguments: arguments.join(" "), output: complaint })
    }
}
