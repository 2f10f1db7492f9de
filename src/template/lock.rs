//! Cargo's lock file, whose packages are in the order of their names.

/// The name of the file.
pub(super) const FILE: &str = "Cargo.lock";

/// The beginning of a package.
const PACKAGE: &str = "[[package]]\n";

/// Returns the file with its packages in order again, after one of them got another name: `cargo --locked` takes no other
/// order. Packages of the same name stay as they are.
pub(super) fn sorted(lock: &str) -> String {
    let mut parts = lock.split(PACKAGE);
    let head = parts.next().unwrap_or_default();
    let mut packages: Vec<&str> = parts.map(str::trim_end).collect();
    packages.sort_by_key(|package| package.lines().next());
    let packages = packages.into_iter().map(|package| format!("{PACKAGE}{package}\n"));
    format!("{head}{}", packages.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renamed_package_moves_to_its_place() {
        let package = |name: &str| format!("[[package]]\nname = \"{name}\"\nversion = \"1\"\n");
        let lock = |names: &[&str]| {
            let packages: Vec<String> = names.iter().map(|name| package(name)).collect();
            format!("# Made by Cargo.\nversion = 4\n\n{}", packages.join("\n"))
        };
        assert_eq!(sorted(&lock(&["b", "kubectl-z", "kube"])), lock(&["b", "kube", "kubectl-z"]));
        let in_order = include_str!("../../components/templates/rust/Cargo.lock");
        assert_eq!(sorted(in_order), in_order);
    }
}
