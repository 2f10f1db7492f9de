//! Tests that `kwasm cluster` reports a cluster as `kubectl config view` does, and as a plugin gets it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use kwasm::cluster::Endpoint;
use serde_json::{Map, Value, json};

use super::case::{Case, Outcome};
use super::differences::{DASHES, FLAG};
use super::lab::Lab;
use super::{cases, holds, kubectl};
use crate::support::{Kwasm, Run};

/// Returns the output of `kwasm cluster -o json`.
fn stated(lab: &Lab, kwasm: &Kwasm, case: &Case, folder: &Path) -> Result<Value, String> {
    let run = lab.verb(kwasm, case, folder, &["cluster", "-o", "json"]);
    let shown = run.shown();
    if run.code != Some(0) {
        return Err(shown);
    }
    serde_json::from_str(&run.stdout).map_err(|error| format!("{error}: {shown}"))
}

/// Returns the same facts from `kubectl config view`; `None` if that fails. It reads every file, even unused
/// ones, and shows nothing without a name.
fn viewed(lab: &Lab, program: &Path, case: &Case, folder: &Path) -> Option<Value> {
    let mut command = lab.kubectl_command(program, case, folder);
    let view = ["config", "view", "--minify", "--flatten", "--raw", "-o", "json"];
    let run = Run::of(command.args(view));
    let view: Value = serde_json::from_str(&run.stdout).ok()?;
    let (context, cluster) = (&view["contexts"][0], &view["clusters"][0]);
    let user = view["users"][0].get("user")?;
    let server = cluster["cluster"]["server"].as_str()?;
    let endpoint = Endpoint::read(server)?;
    let insecure = cluster["cluster"]["insecure-skip-tls-verify"].as_bool().unwrap_or_default();
    let namespace = Some(text(&context["context"]["namespace"])).filter(|name| !name.is_empty());
    let mut viewed = json!({
        "context": view["current-context"],
        "cluster": text(&cluster["name"]),
        // Text after the path may not be part of the address. kubectl shows the contents of the file, kwasm
        // the address to connect to: a bare host is a plain HTTP server.
        "server": server.split(['?', '#']).next().map(|server| {
            if server.contains("://") { server.to_owned() } else { format!("http://{server}") }
        }),
        "namespace": namespace.unwrap_or("default"),
        "user": text(&context["context"]["user"]),
        "authentication": authentication(user),
        "certificateAuthority": match text(&cluster["cluster"]["certificate-authority-data"]) {
            _ if insecure || !endpoint.origin().is_secure() => "none",
            "" => "system",
            _ => "data",
        },
        "insecureSkipTlsVerify": insecure,
    });
    for (key, value) in [("tlsServerName", "tls-server-name"), ("proxyUrl", "proxy-url")] {
        let value = text(&cluster["cluster"][value]);
        if !value.is_empty() {
            viewed[key] = json!(value);
        }
    }
    let impersonate = impersonation(user);
    if !impersonate.is_empty() {
        viewed["impersonate"] = Value::Object(impersonate);
    }
    Some(viewed)
}

/// Returns a text, or nothing.
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the kind of a user's authentication, in client-go's order of precedence.
fn authentication(user: &Value) -> &'static str {
    let has = |key: &str| user.get(key).is_some_and(|value| !value.is_null() && value != "");
    let certificate = has("client-certificate-data");
    match () {
        () if has("tokenFile") => "tokenFile",
        () if has("token") => "token",
        () if has("username") => "basic",
        () if has("exec") && !certificate => "exec",
        () if has("auth-provider") => "oidc",
        () if certificate => "clientCertificate",
        () => "none",
    }
}

fn impersonation(user: &Value) -> Map<String, Value> {
    let keys = [("user", "as"), ("uid", "as-uid"), ("groups", "as-groups"), ("extra", "as-user-extra")];
    let said = keys.iter().filter_map(|(key, kubectl)| {
        let mut value = user.get(kubectl).filter(|value| !value.is_null() && *value != "")?.clone();
        // No values of an extra are none.
        for values in
            value.as_object_mut().into_iter().flat_map(Map::values_mut).filter(|values| values.is_null())
        {
            *values = json!([]);
        }
        Some(((*key).to_owned(), value))
    });
    said.collect()
}

/// Returns the files of a case that are there to be read, in the order of its variable.
fn files(lab: &Lab, case: &Case, folder: &Path) -> Vec<PathBuf> {
    let list = case.variables.iter().find(|(name, value)| *name == "KUBECONFIG" && !value.is_empty());
    let list = list.map_or("$DIR/home/.kube/config", |(_, list)| list);
    let list = lab.fill(list, folder);
    let mut files: Vec<PathBuf> = Vec::new();
    for file in std::env::split_paths(&list).filter(|file| folder.join(file).is_file()) {
        if !files.contains(&file) {
            files.push(file);
        }
    }
    files
}

#[test]
fn what_is_said_of_a_cluster_is_what_kubectl_says_of_it() {
    let Some(kubectl) = kubectl("conformance::what_is_said_of_a_cluster_is_what_kubectl_says_of_it") else {
        return;
    };
    let kwasm = Kwasm::new();
    let mut cases = cases::all();
    // kubectl shows what files say, not what flags and variables make of it.
    cases.retain(|case| {
        case.reason.is_none() && matches!(case.kwasm, Outcome::Asks(_)) && case.flags.is_empty()
    });
    cases.retain(|case| case.variables.iter().all(|(name, _)| *name == "KUBECONFIG"));
    let compared = AtomicUsize::new(0);
    holds(&cases, |lab, case| {
        let folder = lab.folder(case);
        let mut stated = stated(lab, &kwasm, case, folder.path())?;
        let files = files(lab, case, folder.path());
        let Some(viewed) = viewed(lab, &kubectl, case, folder.path()) else { return Ok(()) };
        compared.fetch_add(1, Ordering::Relaxed);
        let said = stated.as_object_mut().unwrap();
        if said.remove("files") != Some(json!(files)) {
            return Err(format!("files: {stated:#}, not {files:?}"));
        }
        // kubectl does not read certificates, and has made data of each file.
        said.remove("clientCertificate");
        if said["certificateAuthority"] == "file" {
            said["certificateAuthority"] = json!("data");
        }
        if stated == viewed { Ok(()) } else { Err(format!("{stated:#}\nkubectl: {viewed:#}")) }
    });
    assert!(compared.into_inner() > 100);
}

#[test]
fn what_is_said_of_a_cluster_is_what_a_plugin_gets() {
    let kwasm = Kwasm::new();
    let mut cases = cases::all();
    // These are a plugin's arguments, and of `-n=` pflag makes another thing than clap.
    cases.retain(|case| ![Some(DASHES), Some(FLAG)].contains(&case.reason) && case.flags != ["-n="]);
    holds(&cases, |lab, case| {
        let Outcome::Asks(asked) = &case.kwasm else { return Ok(()) };
        let said = |name: &str| {
            let words = asked.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            words.map(ToOwned::to_owned)
        };
        let folder = lab.folder(case);
        let stated = stated(lab, &kwasm, case, folder.path())?;
        let namespace = said("namespace").unwrap_or_else(|| "default".to_owned());
        let user = said("as-user").unwrap_or_default();
        if stated["namespace"] == namespace && text(&stated["impersonate"]["user"]).trim() == user {
            return Ok(());
        }
        Err(format!("{stated:#}\nwanted: {asked}"))
    });
}
