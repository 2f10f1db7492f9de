//! The real registries, and the programs that people use with them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use kwasm_registry::{Access, Registry, tool};

use super::{Kwasm, Run, skip};

/// A real registry, shared by all tests of this process: each kwasm has repositories of its own.
pub(crate) struct RealRegistry {
    registry: Registry,
}

/// The layout of cosign's signatures in a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A sigstore bundle that refers to the artifact.
    Bundle,
    /// A payload under the tag `sha256-HEX.sig`.
    Simple,
}

/// The files of a key pair of cosign's.
pub(crate) struct KeyPair {
    pub(crate) private: PathBuf,
    pub(crate) public: PathBuf,
}

/// Returns distribution, which has no referrers API, or `None` if it or one of the programs is not available,
/// which `cargo xtask test` reports.
///
/// # Panics
/// If `CI` is set, where nothing is skipped.
pub(crate) fn registry(test: &str, programs: &[&str]) -> Option<&'static RealRegistry> {
    static REGISTRY: OnceLock<Result<RealRegistry, String>> = OnceLock::new();
    shared(&REGISTRY, Registry::start, test, programs)
}

/// Returns distribution for everyone, without a login, under the same conditions.
///
/// # Panics
/// If `CI` is set, where nothing is skipped.
pub(crate) fn open_registry(test: &str, programs: &[&str]) -> Option<&'static RealRegistry> {
    static REGISTRY: OnceLock<Result<RealRegistry, String>> = OnceLock::new();
    shared(&REGISTRY, || Registry::distribution().open().start(), test, programs)
}

/// Returns go-containerregistry's registry, which has the referrers API, under the same conditions.
///
/// # Panics
/// If `CI` is set, where nothing is skipped.
pub(crate) fn registry_with_referrers(test: &str, programs: &[&str]) -> Option<&'static RealRegistry> {
    static REGISTRY: OnceLock<Result<RealRegistry, String>> = OnceLock::new();
    shared(&REGISTRY, Registry::with_referrers, test, programs)
}

fn shared(
    registry: &'static OnceLock<Result<RealRegistry, String>>,
    start: fn() -> Result<Registry, kwasm_registry::Error>,
    test: &str,
    programs: &[&str],
) -> Option<&'static RealRegistry> {
    if let Some(missing) = programs.iter().find(|program| tool(program).is_none()) {
        skip(test, &format!("there is no {missing}: cargo xtask test says why"));
        return None;
    }
    let registry = registry.get_or_init(|| {
        let registry = start().map_err(|error| error.to_string())?;
        // Beside it, and gone with it.
        registry.access().write_authority(registry.folder()).unwrap();
        registry.access().write_docker_config(registry.folder()).unwrap();
        Ok(RealRegistry { registry })
    });
    registry.as_ref().inspect_err(|reason| skip(test, reason)).ok()
}

impl RealRegistry {
    /// Returns the access to it.
    pub(crate) fn access(&self) -> &Access {
        self.registry.access()
    }

    /// Returns the certificate of its authority, a file.
    pub(crate) fn authority(&self) -> PathBuf {
        self.registry.folder().join("ca.crt")
    }

    /// Returns a kwasm that knows the registry as its users would: by docker's credentials, and by wasm-pkg's
    /// configuration, which has the authority's certificate, and says that a package `acme:NAME` is the
    /// repository `acme/NAME`.
    pub(crate) fn kwasm(&self) -> Kwasm {
        let kwasm = Kwasm::new();
        let config = kwasm.home().join("config");
        std::fs::create_dir_all(config.join("wasm-pkg")).unwrap();
        let text = self.access().wasm_pkg_config("acme", &prefix(&kwasm));
        std::fs::write(config.join("wasm-pkg").join("config.toml"), text).unwrap();
        kwasm.variable("DOCKER_CONFIG", self.registry.folder()).variable("XDG_CONFIG_HOME", config)
    }

    /// Returns a repository that no other kwasm has, with its host.
    pub(crate) fn repository(&self, kwasm: &Kwasm, name: &str) -> String {
        format!("{}/{}{name}", self.registry.host(), prefix(kwasm))
    }

    /// Returns the command `oras VERB` in the home of a kwasm.
    pub(crate) fn oras(&self, kwasm: &Kwasm, verb: &str) -> Command {
        let mut oras = self.program(kwasm, "oras");
        // It takes localhost for a registry in plain HTTP.
        oras.args([verb, "--plain-http=false"]);
        oras
    }

    /// Returns the command `skopeo` in the home of a kwasm.
    pub(crate) fn skopeo(&self, kwasm: &Kwasm) -> Command {
        let mut skopeo = self.program(kwasm, "skopeo");
        skopeo.env("REGISTRY_AUTH_FILE", self.registry.folder().join("config.json"));
        skopeo
    }

    /// Returns the command `cosign` in the home of a kwasm.
    pub(crate) fn cosign(&self, kwasm: &Kwasm) -> Command {
        let mut cosign = self.program(kwasm, "cosign");
        cosign.env("COSIGN_PASSWORD", "");
        cosign
    }

    /// Returns the command `wkg` in the home of a kwasm, whose configuration it shares.
    pub(crate) fn wkg(&self, kwasm: &Kwasm) -> Command {
        self.program(kwasm, "wkg")
    }

    /// Pushes a component by oras, in the CNCF's layout, and returns the digest of its manifest.
    pub(crate) fn push(&self, kwasm: &Kwasm, reference: &str, component: &Path) -> String {
        let folder = component.parent().unwrap();
        let config = kwasm.home().join("wasm-config.json");
        std::fs::write(&config, r#"{"architecture":"wasm","os":"wasip2"}"#).unwrap();
        let config = format!("{}:application/vnd.wasm.config.v0+json", config.display());
        let file = format!("{}:application/wasm", component.file_name().unwrap().to_str().unwrap());
        let mut push = self.oras(kwasm, "push");
        // oras refuses absolute paths, for the sake of those who pull.
        push.current_dir(folder).args(["--disable-path-validation", "--config", &config, reference, &file]);
        let pushed = Run::of(&mut push).success().stdout;
        pushed.lines().find_map(|line| line.strip_prefix("Digest: ")).unwrap().to_owned()
    }

    /// Pushes a component by wkg, which makes config and annotations of what the component says of itself.
    pub(crate) fn push_by_wkg(&self, kwasm: &Kwasm, reference: &str, component: &Path) {
        Run::of(self.wkg(kwasm).args(["oci", "push", reference]).arg(component)).success();
    }

    /// Makes a key pair by cosign, of ECDSA on P-256.
    pub(crate) fn key_pair(&self, kwasm: &Kwasm, name: &str) -> KeyPair {
        let mut generate = self.cosign(kwasm);
        Run::of(generate.args(["generate-key-pair", "--output-key-prefix", name])).success();
        let file = |extension: &str| kwasm.home().join(format!("{name}.{extension}"));
        KeyPair { private: file("key"), public: file("pub") }
    }

    /// Signs the artifact with this digest, without any service but the registry.
    pub(crate) fn sign(&self, kwasm: &Kwasm, key: &KeyPair, layout: Layout, repository: &str, digest: &str) {
        let mut sign = self.cosign(kwasm);
        sign.args(["sign", "--yes", "--use-signing-config=false", "--tlog-upload=false"])
            .arg(layout.option());
        Run::of(sign.arg("--key").arg(&key.private).arg(format!("{repository}@{digest}"))).success();
    }

    fn program(&self, kwasm: &Kwasm, name: &str) -> Command {
        let mut program = kwasm.program(tool(name).unwrap());
        program.env("SSL_CERT_FILE", self.authority());
        program
    }
}

/// Returns the prefix of the names of a kwasm's repositories.
fn prefix(kwasm: &Kwasm) -> String {
    let home = kwasm_registry::digest(kwasm.home().as_os_str().as_encoded_bytes());
    format!("{}/", &home["sha256:".len()..][..12])
}

impl Layout {
    /// Returns the option by which cosign writes and finds it.
    pub(crate) fn option(self) -> &'static str {
        match self {
            Self::Bundle => "--new-bundle-format=true",
            Self::Simple => "--new-bundle-format=false",
        }
    }
}
