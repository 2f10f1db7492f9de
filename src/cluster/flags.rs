//! The command-line flags that override a kubeconfig (client-go, `tools/clientcmd/overrides.go`; cli-runtime,
//! `pkg/genericclioptions/config_flags.go`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::Error;
use super::secret::Secret;
use crate::environment::Connection;

/// The parsed connection flags.
#[derive(Clone, Default)]
pub struct Flags {
    /// `--kubeconfig`
    pub kubeconfig: Option<PathBuf>,
    /// `--context`
    pub context: Option<String>,
    /// `--cluster`
    pub cluster: Option<String>,
    /// `--user`
    pub user: Option<String>,
    /// `-n`, `--namespace`
    pub namespace: Option<String>,
    /// `-s`, `--server`
    pub server: Option<String>,
    pub(super) tls_server_name: Option<String>,
    pub(super) insecure: bool,
    pub(super) certificate_authority: Option<PathBuf>,
    pub(super) client_certificate: Option<PathBuf>,
    pub(super) client_key: Option<PathBuf>,
    pub(super) token: Option<Secret>,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) impersonate: Option<String>,
    pub(super) as_uid: Option<String>,
    pub(super) as_groups: Vec<String>,
    pub(super) as_user_extra: BTreeMap<String, Vec<String>>,
    pub(super) request_timeout: Option<Duration>,
    pub(super) disable_compression: bool,
}

impl Flags {
    /// Parses the values of flags.
    ///
    /// # Errors
    /// If a boolean or a duration is not valid.
    pub fn of(given: &Connection) -> Result<Self, Error> {
        let text = |long| given.value(long).map(str::to_owned);
        let path = |long| given.value(long).map(PathBuf::from);
        let secret = |long| given.value(long).map(|value| Secret::from(value.to_owned()));
        let truth = |long| match given.values(long).last() {
            None => Ok(false),
            Some(value) => {
                read_truth(value).ok_or_else(|| Error::Truth { flag: long, value: value.to_owned() })
            }
        };
        let mut as_user_extra: BTreeMap<String, Vec<String>> = BTreeMap::new();
        // What has no `=` is passed over, as cli-runtime does.
        for (key, value) in given.values("--as-user-extra").filter_map(|extra| extra.split_once('=')) {
            as_user_extra.entry(key.to_owned()).or_default().push(value.to_owned());
        }
        Ok(Self {
            kubeconfig: path("--kubeconfig"),
            context: text("--context"),
            cluster: text("--cluster"),
            user: text("--user"),
            namespace: text("--namespace"),
            server: text("--server"),
            tls_server_name: text("--tls-server-name"),
            insecure: truth("--insecure-skip-tls-verify")?,
            certificate_authority: path("--certificate-authority"),
            client_certificate: path("--client-certificate"),
            client_key: path("--client-key"),
            token: secret("--token"),
            username: text("--username"),
            password: secret("--password"),
            impersonate: text("--as"),
            as_uid: text("--as-uid"),
            as_groups: given.values("--as-group").map(str::to_owned).collect(),
            as_user_extra,
            request_timeout: given.value("--request-timeout").map(read_timeout).transpose()?.flatten(),
            disable_compression: truth("--disable-compression")?,
        })
    }
}

impl Flags {
    /// Returns the flags that also apply to contexts that were not selected: the impersonated user and the
    /// options of requests. The server, the credential and the trust in the server only apply to the selected
    /// context: at another one, a credential would be sent to a server that it is not meant for.
    pub(super) fn for_others(&self) -> Self {
        Self {
            impersonate: self.impersonate.clone(),
            as_uid: self.as_uid.clone(),
            as_groups: self.as_groups.clone(),
            as_user_extra: self.as_user_extra.clone(),
            request_timeout: self.request_timeout,
            disable_compression: self.disable_compression,
            ..Self::default()
        }
    }
}

/// Parses a boolean like Go's `strconv.ParseBool`.
fn read_truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// Parses a duration like client-go's `ParseTimeout`: whole seconds, or Go's notation, e.g. `1m30s`. Zero
/// means none.
fn read_timeout(text: &str) -> Result<Option<Duration>, Error> {
    let time = match text.parse::<u64>() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => read_duration(text),
    };
    let time = time.ok_or_else(|| Error::Timeout(text.to_owned()))?;
    Ok((!time.is_zero()).then_some(time))
}

/// Parses a duration like Go's `time.ParseDuration`, except for negative ones.
fn read_duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 7] =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    let mut total = 0.0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').filter(|end| *end > 0)?;
        let (number, tail) = rest.split_at(end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let (_, seconds) = UNITS.iter().find(|(name, _)| *name == unit)?;
        total += number.parse::<f64>().ok()? * seconds;
        rest = tail;
    }
    Duration::try_from_secs_f64(total).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Flags, Error> {
        let mut arguments = text.split(' ').map(str::to_owned).collect();
        Flags::of(&Connection::take(&mut arguments, &[]).unwrap())
    }

    #[test]
    fn a_time_is_read_as_kubectl_reads_it() {
        for (text, milliseconds) in
            [("5", 5000), ("5s", 5000), ("1m30s", 90_000), ("1.5h", 5_400_000), ("20ms", 20)]
        {
            let read = read(&format!("--request-timeout={text}")).unwrap().request_timeout;
            assert_eq!(read, Some(Duration::from_millis(milliseconds)), "{text}");
        }
        assert_eq!(read("--request-timeout=0").unwrap().request_timeout, None);
        for text in ["x", "5x", "-5", "s", "5s5", "1..5s"] {
            assert!(read(&format!("--request-timeout={text}")).is_err(), "{text}");
        }
    }

    #[test]
    fn a_truth_is_read_as_kubectl_reads_it() {
        assert!(read("--insecure-skip-tls-verify").unwrap().insecure);
        assert!(!read("--insecure-skip-tls-verify --insecure-skip-tls-verify=F").unwrap().insecure);
        assert!(read("--insecure-skip-tls-verify=maybe").is_err());
        assert!(read("--insecure-skip-tls-verify=").is_err());
    }

    #[test]
    fn what_is_known_of_a_user_is_gathered_by_its_key() {
        let extra = read("--as-user-extra=a=1 --as-user-extra=b=2=3 --as-user-extra=a=4 --as-user-extra=x");
        let extra = extra.unwrap().as_user_extra;
        let wanted = [("a", vec!["1", "4"]), ("b", vec!["2=3"])];
        let wanted =
            wanted.map(|(key, values)| (key.to_owned(), values.into_iter().map(str::to_owned).collect()));
        assert_eq!(extra, BTreeMap::from(wanted));
    }
}
