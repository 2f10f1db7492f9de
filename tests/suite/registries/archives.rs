//! A signed plugin carried in an archive to where no registry is: signed there too.

use super::{call, only};
use crate::support::{Kwasm, Layout, Run, component, registry};

#[test]
fn a_signature_travels_with_its_plugin_and_is_asked_for_without_a_network() {
    let Some(registry) = registry("registries::a_signature_travels", &["oras", "cosign", "skopeo"]) else {
        return;
    };
    for layout in [Layout::Bundle, Layout::Simple] {
        let here = registry.kwasm();
        let repository = registry.repository(&here, "greeter");
        let digest = registry.push(&here, &format!("{repository}:1.0.0"), &component("hello"));
        let key = registry.key_pair(&here, "team");
        registry.sign(&here, &key, layout, &repository, &digest);
        here.call(["install", &format!("{repository}:1.0.0")]).success();
        here.call(["save", "greeter", "-f", "greeter.tar"]).success();

        // It knows no registry, nor how to reach this one.
        let there = Kwasm::with_empty_cache();
        let config = there.home().join("config");
        std::fs::create_dir_all(config.join("kwasm")).unwrap();
        std::fs::copy(&key.public, config.join("kwasm/team.pub")).unwrap();
        registry.key_pair(&here, "other");
        std::fs::copy(here.home().join("other.pub"), config.join("kwasm/other.pub")).unwrap();
        let there = there.variable("XDG_CONFIG_HOME", &config);
        let require = |keys: &str| {
            let host = registry.access().host();
            let rule = format!("- registry: {host}\n  signatures: require\n  keys: {{anyOf: [{keys}]}}\n");
            let text = format!("apiVersion: kwasm.dev/v1\nkind: Trust\nrules:\n{rule}");
            std::fs::write(config.join("kwasm/trust.yaml"), text).unwrap();
        };
        let archive = here.home().join("greeter.tar");
        let load = || there.call(["load", archive.to_str().unwrap()]);
        require("other.pub");
        let run = load().fails(126);
        assert!(run.stderr.contains("does not verify with `other.pub`"), "{layout:?}: {}", run.shown());
        assert_eq!(there.call(["list"]).success().stdout, "");
        require("team.pub");
        let run = load().success();
        assert!(run.stderr.contains("is signed by team.pub"), "{layout:?}: {}", run.shown());
        assert_eq!(call(&there, "greeter").success().stdout, "hello from kwasm: x\n");
        assert_eq!(only(&there)["signers"][0], "team.pub");
        assert_eq!(only(&there)["manifest"], digest.as_str());
        // What others read of the archive is the artifact that was signed.
        let mut skopeo = registry.skopeo(&here);
        let reference = format!("oci-archive:{}:{repository}:1.0.0", archive.display());
        let raw = Run::of(skopeo.args(["inspect", "--raw", &reference])).success().stdout;
        assert_eq!(kwasm_registry::digest(raw.as_bytes()), digest);
    }
}
