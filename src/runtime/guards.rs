//! The folders and files that no plugin gets by a policy, whatever it grants: what holds credentials, kwasm's
//! own, what the system shows of itself, and, for writing, the programs that the user runs.
//!
//! A grant that contains one of them is refused too. Else the home directory would be a short way to write all
//! credentials, and a working directory might be one by accident.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{FolderError, Guard, Position};
use crate::cluster::Kubeconfig;
use crate::defence::Defence;
use crate::environment::Environment;
use crate::platform;
use crate::policy::Access;
use crate::store::Places;

/// What holds credentials below the home directory.
const CREDENTIALS: &[&str] = &[
    ".kube",
    ".aws",
    ".azure",
    ".bluemix",
    ".cargo/credentials.toml",
    ".config/BraveSoftware",
    ".config/argocd",
    ".config/chromium",
    ".config/containers",
    ".config/doctl",
    ".config/gcloud",
    ".config/gh",
    ".config/git",
    ".config/glab-cli",
    ".config/google-chrome",
    ".config/hcloud",
    ".config/helm",
    ".config/microsoft-edge",
    ".config/op",
    ".config/rclone",
    ".config/sops",
    ".docker",
    ".git-credentials",
    ".gnupg",
    ".gradle",
    ".local/share/containers",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    ".m2",
    ".minikube",
    ".mozilla",
    ".my.cnf",
    ".netrc",
    ".npmrc",
    ".oci",
    ".password-store",
    ".pgpass",
    ".pulumi",
    ".pypirc",
    ".ssh",
    ".terraform.d",
    ".terraformrc",
    ".thunderbird",
    ".vault-token",
    "AppData/Local",
    "AppData/Roaming",
    "Library/Application Support",
    "Library/Containers",
    "Library/Cookies",
    "Library/Keychains",
];

/// The variables that name files or folders with credentials.
const CREDENTIAL_VARIABLES: &[&str] = &[
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AZURE_CONFIG_DIR",
    "AZURE_FEDERATED_TOKEN_FILE",
    "CLOUDSDK_CONFIG",
    "DOCKER_CONFIG",
    "GNUPGHOME",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "REGISTRY_AUTH_FILE",
];

/// The system's own credentials: of Kubernetes' nodes, of pods, of users and of servers.
const SYSTEM_CREDENTIALS: &[&str] = &[
    "/etc/kubernetes",
    "/etc/rancher",
    "/etc/shadow",
    "/etc/ssh",
    "/etc/ssl/private",
    "/run/secrets",
    "/var/lib/kubelet",
    "/var/lib/rancher",
    "/var/run/secrets",
];

/// What the system shows of its processes and devices, of kwasm too.
const SYSTEM: &[&str] = &["/proc", "/sys", "/dev"];

/// What is run, or read by programs that run other programs, below the home directory.
const PROGRAMS: &[&str] = &[
    ".cargo/bin",
    ".config/autostart",
    ".config/environment.d",
    ".config/fish",
    ".config/nvim",
    ".config/systemd",
    ".emacs.d",
    ".krew",
    ".local/bin",
    ".local/share/applications",
    ".oh-my-zsh",
    ".vim",
    "Library/LaunchAgents",
    "bin",
];

/// The same of the system.
const SYSTEM_PROGRAMS: &[&str] = &["/bin", "/boot", "/etc", "/lib", "/sbin", "/usr"];

/// What no plugin gets.
#[derive(Debug, Default)]
pub struct Guards(Vec<Guarded>);

#[derive(Debug)]
struct Guarded {
    path: PathBuf,
    guard: Guard,
}

impl Guards {
    /// Returns what is guarded on this machine.
    #[must_use]
    pub fn of(environment: &Environment, places: &Places, kubeconfig: &Kubeconfig) -> Self {
        let mut guards = Self::default();
        let home = platform::home(|name| environment.path(name));
        let below_home = |paths: &'static [&str]| {
            let home = home.clone();
            paths.iter().filter_map(move |path| Some(home.as_ref()?.join(path)))
        };
        guards.add(Guard::Credentials, kubeconfig.secret_files());
        guards.add(Guard::Credentials, below_home(CREDENTIALS));
        // What is configured elsewhere than in `~/.config`.
        let configuration = environment.path("XDG_CONFIG_HOME");
        guards.add(
            Guard::Credentials,
            CREDENTIALS
                .iter()
                .filter_map(|path| Some(configuration.as_ref()?.join(path.strip_prefix(".config/")?))),
        );
        let named = CREDENTIAL_VARIABLES.iter().filter_map(|name| environment.path(name));
        guards.add(Guard::Credentials, named);
        guards.add(Guard::Credentials, SYSTEM_CREDENTIALS.iter().map(PathBuf::from));
        guards.add(Guard::Kwasm, places.own().map(Path::to_owned));
        guards.add(Guard::System, SYSTEM.iter().map(PathBuf::from));
        let own = [places.program(), &environment.program];
        guards.add(Guard::Programs, own.iter().filter_map(|program| program.parent().map(Path::to_owned)));
        guards.add(Guard::Programs, [places.links().to_owned()]);
        guards.add(Guard::Programs, kubeconfig.programs());
        guards.add(Guard::Programs, below_home(PROGRAMS));
        guards.add(Guard::Programs, SYSTEM_PROGRAMS.iter().map(PathBuf::from));
        let path = environment.variable("PATH").unwrap_or_default();
        // A relative one is another folder wherever a shell is.
        let folders =
            std::env::split_paths(path).filter(|folder| folder.is_absolute() && folder.parent().is_some());
        guards.add(Guard::Programs, folders);
        guards
    }

    fn add(&mut self, guard: Guard, paths: impl IntoIterator<Item = PathBuf>) {
        for path in paths {
            // One of the environment or a kubeconfig may be relative.
            let path = std::path::absolute(&path).unwrap_or(path);
            self.0.push(Guarded { path, guard });
        }
    }

    /// Checks that a folder may be given to a plugin.
    ///
    /// # Errors
    /// [`FolderError::Guarded`] if it contains something guarded, or is or lies in it.
    pub(super) fn check(&self, real: &Path, access: Access) -> Result<(), FolderError> {
        let folder = Way::to(real);
        let writes = access == Access::ReadWrite;
        for Guarded { path, guard } in
            self.0.iter().filter(|guarded| writes || guarded.guard != Guard::Programs)
        {
            // Both what leads there and what is there: neither is to be read or replaced.
            let behind = fs::canonicalize(path).ok().filter(|real| real != path);
            for guarded in [Some(path), behind.as_ref()].into_iter().flatten() {
                if let Some(position) = folder.position(&Way::to(guarded))
                    && Defence::GuardedFolders.stands()
                {
                    return Err(FolderError::Guarded { path: guarded.clone(), guard: *guard, position });
                }
            }
        }
        Ok(())
    }
}

/// A path and all folders on the way there, the last first, each with what identifies it under any name.
struct Way<'a>(Vec<(&'a Path, Option<String>)>);

impl<'a> Way<'a> {
    fn to(path: &'a Path) -> Self {
        let identity = |path: &Path| Some(platform::identity(&fs::metadata(path).ok()?)?.file());
        Self(path.ancestors().map(|path| (path, identity(path))).collect())
    }

    /// Returns where the end of this way is, seen from the end of another one.
    fn position(&self, other: &Self) -> Option<Position> {
        let ends = |way: &Self, other: &Self| {
            let (end, identity) = &way.0[0];
            other.0.iter().position(|(path, found)| path == end || (found.is_some() && found == identity))
        };
        match (ends(self, other), ends(other, self)) {
            (Some(0), _) => Some(Position::Same),
            (Some(_), _) => Some(Position::Contains),
            (_, Some(_)) => Some(Position::Within),
            (None, None) => None,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn guards(root: &Path) -> Guards {
        let mut guards = Guards::default();
        guards.add(Guard::Credentials, [root.join("home/.kube")]);
        guards.add(Guard::Programs, [root.join("home/bin")]);
        guards
    }

    fn check(root: &Path, folder: &str, access: Access) -> Option<(Guard, Position)> {
        match guards(root).check(&root.join(folder), access) {
            Ok(()) => None,
            Err(FolderError::Guarded { guard, position, .. }) => Some((guard, position)),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn what_is_guarded_is_given_neither_alone_nor_with_others_nor_in_parts() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        // Whether it exists does not matter: a plugin that may write there could make it.
        for _ in 0..2 {
            for access in [Access::ReadOnly, Access::ReadWrite] {
                let at = |folder: &str| check(&root, folder, access);
                assert_eq!(at("home/.kube"), Some((Guard::Credentials, Position::Same)));
                assert_eq!(at("home"), Some((Guard::Credentials, Position::Contains)));
                assert_eq!(at(""), Some((Guard::Credentials, Position::Contains)));
                assert_eq!(at("home/.kube/cache"), Some((Guard::Credentials, Position::Within)));
                assert_eq!(at("home/.kubernetes"), None);
                assert_eq!(at("home/x"), None);
            }
            fs::create_dir_all(root.join("home/.kube/cache")).unwrap();
            fs::create_dir_all(root.join("home/x")).unwrap();
        }
    }

    #[test]
    fn programs_may_be_read_and_not_written() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        assert_eq!(check(&root, "home/bin/x", Access::ReadOnly), None);
        let written = check(&root, "home/bin/x", Access::ReadWrite);
        assert_eq!(written, Some((Guard::Programs, Position::Within)));
    }

    #[test]
    fn a_link_to_what_is_guarded_hides_neither_end() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("elsewhere/kube")).unwrap();
        fs::create_dir_all(root.join("home")).unwrap();
        std::os::unix::fs::symlink(root.join("elsewhere/kube"), root.join("home/.kube")).unwrap();
        assert!(check(&root, "elsewhere", Access::ReadOnly).is_some());
        assert!(check(&root, "home", Access::ReadOnly).is_some());
        assert!(check(&root, "home/x", Access::ReadOnly).is_none());
    }

    #[test]
    fn the_list_has_the_kubeconfig_the_store_and_the_path() {
        let home = tempfile::tempdir().unwrap();
        let variables = [
            ("HOME".into(), home.path().into()),
            ("KUBECONFIG".into(), home.path().join("work/kubeconfig").into()),
            ("PATH".into(), "/opt/tools::relative:/".into()),
        ]
        .into();
        let environment =
            Environment { variables, program: "/opt/kwasm/bin/kwasm".into(), ..Environment::default() };
        let places = Places::of(&environment).unwrap();
        let kubeconfig = Kubeconfig::load(&environment, &crate::cluster::Flags::default()).unwrap();
        let guards = Guards::of(&environment, &places, &kubeconfig);
        let refused = |path: &Path, access| guards.check(path, access).is_err();
        assert!(refused(&home.path().join("work"), Access::ReadOnly));
        assert!(refused(places.root(), Access::ReadOnly));
        assert!(
            refused(Path::new("/"), Access::ReadOnly) && refused(Path::new("/proc/self"), Access::ReadOnly)
        );
        assert!(refused(Path::new("/opt/tools"), Access::ReadWrite));
        assert!(refused(Path::new("/opt/kwasm/bin"), Access::ReadWrite));
        assert!(!refused(Path::new("/opt/tools"), Access::ReadOnly));
        assert!(!refused(&home.path().join("x"), Access::ReadWrite));
    }
}
