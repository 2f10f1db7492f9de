//! Filling a cluster, so that it is like one that people use.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::error::Error;
use crate::filled;
use crate::kubeconfig::User;
use crate::plane::alone;
use crate::ready::Ready;
use crate::setup;

/// The timeout for all pods to run: a minute and a half alone on two cores, and several beside other tests.
const PATIENCE: Duration = Duration::from_mins(15);

/// The first pod of all, with the number of the others.
const ALL: &str = "/api/v1/pods?limit=1";

/// The first pod that neither runs nor has ended. The server chooses, which costs less than reading all of them.
const UNSETTLED: &str =
    "/api/v1/pods?limit=1&fieldSelector=status.phase%21%3DRunning%2Cstatus.phase%21%3DSucceeded";

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
            if self.count(ALL)? >= filled::PODS && self.count(UNSETTLED)? == 0 {
                return Ok(());
            }
            if Instant::now() > deadline {
                let seconds = PATIENCE.as_secs();
                return Err(Error::Late { awaited: "cluster of 2,000 pods", seconds, logs: String::new() });
            }
            thread::sleep(Duration::from_secs(2));
        }
    }

    /// Returns the number of objects in a list of which one is read.
    fn count(&self, path: &str) -> Result<usize, Error> {
        let text = self.kubectl(&["get", "--raw", path])?;
        let list: Value = serde_json::from_str(&text).unwrap_or_default();
        let read = list["items"].as_array().map_or(0, Vec::len);
        let others = list["metadata"]["remainingItemCount"].as_u64().unwrap_or_default();
        Ok(read + usize::try_from(others).unwrap_or(usize::MAX))
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
