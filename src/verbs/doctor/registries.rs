//! Checks of the files that kwasm uses for registries: configuration, logins, and the required signers. No
//! registry is contacted.

use crate::platform::shell;
use crate::registry::trust::Trust;
use crate::registry::{Registries, logins};

use super::check::{Check, Patient, Problem, count};

/// Checks the files that `docker login`, `podman login` and `wkg` share with kwasm.
pub(super) fn logins_and_configuration(patient: &Patient<'_>) -> Check {
    let mut problems = Vec::new();
    if let Err(error) = Registries::open(patient.environment) {
        problems.push(Problem::of(
            "the configuration of package registries",
            &error,
            "fix ~/.config/wasm-pkg/config.toml, or move it away",
        ));
    }
    let logins = logins(patient.environment);
    let found = if logins.is_empty() {
        "no logins".to_owned()
    } else {
        format!("logins in {}", count(logins.len(), "file"))
    };
    for (path, checked) in logins {
        if let Err(error) = checked {
            problems.push(Problem::of(
                "a login",
                &error,
                format!("{}, and log in again", shell::set_aside(&path)),
            ));
        }
    }
    Check { name: "registries", found, problems }
}

/// Checks trust.yaml and the keys that it names.
pub(super) fn trust(patient: &Patient<'_>) -> Check {
    let path = patient.store.places().trust();
    let problems = match Trust::load(&path) {
        Ok(_) => Vec::new(),
        Err(faults) => {
            faults.iter().map(|fault| Problem::of("trust.yaml", fault, fault.hint.clone())).collect()
        }
    };
    let found = if path.exists() {
        path.display().to_string()
    } else {
        "no trust.yaml: no signature is required".to_owned()
    };
    Check { name: "trust", found, problems }
}
