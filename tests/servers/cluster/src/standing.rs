//! A cluster that runs until it is taken down, for manual work. There is one for each cache folder.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::assets::Assets;
use crate::cluster::{first_line, serve};
use crate::error::Error;
use crate::folder;
use crate::process::apart;
use crate::ready::Ready;

/// The result of [`up`].
#[derive(Debug)]
pub enum Standing {
    /// The cluster was standing already.
    Already(Ready),
    /// The cluster was started.
    Started(Ready),
}

/// Starts the standing cluster of `cache` in the background, unless it is running, and waits until it is
/// ready.
///
/// # Errors
/// If the supervisor, a binary of this package, can't be run, or reports why there is no cluster.
pub fn up(supervisor: &Path, assets: &Assets, cache: &Path) -> Result<Standing, Error> {
    let _alone = lock(cache)?;
    if let Some(ready) = find(cache) {
        return Ok(Standing::Already(ready));
    }
    let log = cache.join("cluster").join("up.log");
    let errors = File::create(&log).map_err(Error::at(&log))?;
    let mut command = serve(supervisor, assets);
    command.arg("--until-removed").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors);
    // It outlives this process and the terminal.
    apart(&mut command);
    let mut child = command.spawn().map_err(Error::at(supervisor))?;
    let ready = match first_line(&mut child) {
        Ok(ready) => ready,
        Err(e) => {
            // After its line, or without one, a supervisor that failed ends.
            let _status = child.wait();
            return Err(e);
        }
    };
    let state = state(cache);
    let text = serde_json::to_vec(&ready).map_err(|e| Error::at(&state)(e.into()))?;
    fs::write(&state, text).map_err(Error::at(&state))?;
    Ok(Standing::Started(ready))
}

/// Ends the standing cluster of `cache`, and waits until it is gone.
///
/// # Errors
/// If there is none.
pub fn down(cache: &Path) -> Result<(), Error> {
    let _alone = lock(cache)?;
    let ready = find(cache).ok_or(Error::NotStanding)?;
    folder::end(&ready.dir)?;
    let state = state(cache);
    fs::remove_file(&state).map_err(Error::at(&state))
}

/// Returns the standing cluster of `cache`, if it is alive.
#[must_use]
pub fn find(cache: &Path) -> Option<Ready> {
    let text = fs::read(state(cache)).ok()?;
    let ready: Ready = serde_json::from_slice(&text).ok()?;
    folder::is_held(&ready.dir).then_some(ready)
}

fn state(cache: &Path) -> PathBuf {
    cache.join("cluster").join("up.json")
}

fn lock(cache: &Path) -> Result<File, Error> {
    let dir = cache.join("cluster");
    fs::create_dir_all(&dir).map_err(Error::at(&dir))?;
    let path = dir.join("up.lock");
    let file = File::create(&path).map_err(Error::at(&path))?;
    file.lock().map_err(Error::at(&path))?;
    Ok(file)
}
