//! The settings for registries: the configuration of package registries, which `wkg` reads too, and logins.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::redirect::{Action, Attempt, Policy};
use secrecy::ExposeSecret;
use serde::Deserialize;
use wasm_pkg_client::oci::OciRegistryConfig;
use wasm_pkg_client::oci::client::{CertificateEncoding, ClientConfig, ClientProtocol};
use wasm_pkg_client::{Config, Registry};
use zeroize::Zeroizing;

use super::Error;
use super::connection::Proxies;
use super::credentials::Credentials;
use crate::environment::Environment;

const AGENT: &str = concat!("kwasm/", env!("CARGO_PKG_VERSION"));
/// The timeout of a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest pause within a response.
const READ: Duration = Duration::from_mins(1);

/// All settings known before a registry is contacted.
pub(super) struct Settings {
    pub(super) packages: Config,
    environment: Environment,
    proxies: Proxies,
    /// The reasons why logins could not be read.
    unknown: Mutex<Vec<Arc<Error>>>,
    /// The clients of each registry, with their connections.
    clients: Mutex<BTreeMap<String, Clients>>,
}

/// The clients of one registry.
#[derive(Clone)]
pub(super) struct Clients {
    /// A client that follows redirects, such as those to a cloud's storage.
    pub(super) following: reqwest::Client,
    /// A client that does not follow redirects, which would forward the body, even an identity token. Its
    /// timeout is set per request.
    pub(super) direct: reqwest::Client,
    /// The proxies that both use.
    pub(super) proxies: Proxies,
}

/// The settings for one registry.
pub(super) struct Reach {
    pub(super) plain: bool,
    /// Whether the protocol is configured, rather than the default.
    pub(super) protocol_is_set: bool,
    pub(super) credentials: Credentials,
    pub(super) clients: Clients,
}

#[derive(Default, Deserialize)]
struct Protocol {
    protocol: Option<String>,
}

impl Settings {
    /// Reads the user's `wasm-pkg/config.toml`, if it exists.
    ///
    /// # Errors
    /// [`Error::Settings`] if it cannot be read.
    pub(super) async fn load(environment: &Environment) -> Result<Self, Error> {
        let packages = Config::global_defaults().await.map_err(|error| broken(&error))?;
        let proxies = Proxies::of(environment);
        let (environment, unknown, clients) = (environment.clone(), Mutex::default(), Mutex::default());
        Ok(Self { packages, environment, proxies, unknown, clients })
    }

    /// Takes the reasons so far why logins could not be read.
    pub(super) fn take_unknown(&self) -> Vec<Arc<Error>> {
        std::mem::take(&mut self.unknown.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns how to reach the registry of a repository, and as which user.
    ///
    /// # Errors
    /// [`Error::Settings`].
    pub(super) fn reach(&self, host: &str, repository: &str) -> Result<Reach, Error> {
        let (Protocol { protocol }, oci) = self.configured(host)?;
        let clients = self.clients(host, &oci.client_config)?;
        let token = self.environment.variable(&variable(host)).and_then(|value| value.to_str());
        let credentials = match (token, oci.credentials) {
            (Some(token), _) => Credentials::Bearer(Zeroizing::new(token.to_owned())),
            (None, Some(basic)) => Credentials::Basic {
                user: basic.username,
                password: Zeroizing::new(basic.password.expose_secret().to_owned()),
            },
            (None, None) => Credentials::find(&self.environment, host, repository),
        };
        if let Some(unknown) = credentials.unknown() {
            self.unknown.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(unknown));
        }
        Ok(Reach {
            plain: oci.client_config.protocol == ClientProtocol::Http,
            protocol_is_set: protocol.is_some(),
            credentials,
            clients,
        })
    }

    /// Returns the user's configuration of a registry.
    fn configured(&self, host: &str) -> Result<(Protocol, OciRegistryConfig), Error> {
        let registry: Registry = host
            .parse()
            .map_err(|_| Error::Host { host: host.to_owned(), what: "it is not a valid host".to_owned() })?;
        let config = self.packages.registry_config(&registry).cloned().unwrap_or_default();
        let protocol = config.backend_config("oci").map_err(|error| broken(&error))?;
        let oci = OciRegistryConfig::try_from(&config).map_err(|error| broken(&error))?;
        Ok((protocol.unwrap_or_default(), oci))
    }

    fn clients(&self, host: &str, config: &ClientConfig) -> Result<Clients, Error> {
        let mut known = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(clients) = known.get(host) {
            return Ok(clients.clone());
        }
        let clients = Clients::new(config, &self.proxies)
            .map_err(|error| Error::Settings { what: format!("{host}: {error}") })?;
        Ok(known.entry(host.to_owned()).or_insert(clients).clone())
    }
}

fn broken(error: &wasm_pkg_client::Error) -> Error {
    let causes = std::iter::successors(Some(error as &dyn std::error::Error), |cause| cause.source());
    let mut texts: Vec<String> = causes.map(|cause| cause.to_string().replace('\n', " ")).collect();
    texts.dedup();
    Error::Settings { what: texts.join(": ") }
}

/// Returns the variable from which wkg reads a token: `WKG_REGISTRY_<HOST>_AUTH_BEARER`.
fn variable(host: &str) -> String {
    let host: String =
        host.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("WKG_REGISTRY_{host}_AUTH_BEARER")
}

impl Clients {
    fn new(config: &ClientConfig, proxies: &Proxies) -> reqwest::Result<Self> {
        let builder = || builder(config, proxies);
        Ok(Self {
            following: builder()?.read_timeout(READ).redirect(Policy::custom(follow)).build()?,
            direct: builder()?.redirect(Policy::none()).build()?,
            proxies: proxies.clone(),
        })
    }
}

fn follow(attempt: Attempt<'_>) -> Action {
    let downgraded = attempt.url().scheme() == "http"
        && attempt.previous().iter().any(|previous| previous.scheme() == "https");
    if downgraded {
        attempt.error("it redirects from https to http")
    } else if attempt.previous().len() > 5 {
        attempt.error("it redirects too many times")
    } else {
        attempt.follow()
    }
}

/// Returns a builder with the settings that all clients of a registry share.
fn builder(config: &ClientConfig, proxies: &Proxies) -> reqwest::Result<reqwest::ClientBuilder> {
    let roots = config.extra_root_certificates.iter().map(|root| match root.encoding {
        CertificateEncoding::Der => reqwest::Certificate::from_der(&root.data),
        CertificateEncoding::Pem => reqwest::Certificate::from_pem(&root.data),
    });
    Ok(reqwest::Client::builder()
        .user_agent(AGENT)
        // Its own rules are others: to it a proxy is one for this machine too.
        .no_proxy()
        .proxy(proxies.for_client())
        .connect_timeout(CONNECT)
        // The address of an upload may be a secret.
        .referer(false)
        .tls_certs_merge(roots.collect::<reqwest::Result<Vec<_>>>()?)
        .tls_danger_accept_invalid_certs(config.accept_invalid_certificates))
}
