//! `reads-kubeconfig [--any-server]`: reads the file that `KUBECONFIG` names, and looks for a credential in
//! it, and for another server than the gate. With `--any-server` any server will do. Defence: a guest's
//! kubeconfig is made for it, of one virtual server and no credential.

use guests::attempt::{self, Arguments};

/// Keys that are, or lead to, a credential or the way to check the server.
const SECRETS: &[&str] = &[
    "auth-provider",
    "certificate-authority",
    "certificate-authority-data",
    "client-certificate",
    "client-certificate-data",
    "client-key",
    "client-key-data",
    "exec",
    "password",
    "proxy-url",
    "token",
    "tokenFile",
    "username",
];

fn main() {
    let mut arguments = Arguments::of("reads-kubeconfig [--any-server]");
    let any_server = arguments.flag("--any-server");
    let [] = arguments.values([]);
    attempt::import_http();
    attempt::tell(read().and_then(|text| look(&text, any_server)))
}

fn read() -> Result<String, String> {
    let file = std::env::var("KUBECONFIG").map_err(|error| format!("KUBECONFIG: {error}"))?;
    std::fs::read_to_string(&file).map_err(|error| format!("{file}: {error}"))
}

fn look(text: &str, any_server: bool) -> Result<String, String> {
    // After this, YAML and JSON alike consist of `key: value`.
    let plain = text.replace(['"', '\'', '{', '}', ',', '['], " ").replace(" :", ": ");
    let words: Vec<&str> = plain.split_whitespace().collect();
    let found = words.windows(2).filter_map(|pair| {
        let (key, value) = (pair[0].strip_suffix(':')?, pair[1]);
        let foreign = key == "server" && (any_server || !value.starts_with("http://192.0.2."));
        if foreign {
            return Some(format!("server {value}"));
        }
        SECRETS.contains(&key).then(|| key.to_owned())
    });
    let found: Vec<String> = found.collect();
    if found.is_empty() { Err("no credential and no other server".to_owned()) } else { Ok(found.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_found_in_yaml_and_in_json() {
        let yaml = "- name: token\n  user:\n    client-key-data: a2V5\n    token: t\n";
        assert_eq!(look(yaml, false).unwrap(), "client-key-data, token");
        assert_eq!(look(r#"{"user":{"token":"t"}}"#, false).unwrap(), "token");
        assert_eq!(look("users: [{name: a, user: {password: p}}]", false).unwrap(), "password");
        assert_eq!(look("  server: https://127.0.0.1:6443", false).unwrap(), "server https://127.0.0.1:6443");
    }

    #[test]
    fn a_name_is_no_credential_and_the_gate_no_other_server() {
        let own = r#"{"name": "token", "cluster": {"server": "http://192.0.2.1"}, "user": {}}"#;
        assert!(look(own, false).is_err());
        assert_eq!(look(own, true).unwrap(), "server http://192.0.2.1");
    }
}
