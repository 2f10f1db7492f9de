//! `cargo xtask dist`: what is published of a release, the same bytes wherever it is made.

mod check;
mod documents;
mod program;
mod target;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail, ensure};

use self::{documents::Archive, target::Target};
use crate::{
    cargo,
    cross::{self, Means},
    image,
    places::{Places, Scratch},
    process,
    report::Report,
};

pub(crate) const HELP: &str = "\
Builds kwasm for each target that can be built on this machine, and writes to TARGET/dist what is published of a
release: an archive for each target (kwasm, manual pages, completions), an image for Linux on both processors, an
SBOM (CycloneDX), a Krew manifest, a Homebrew formula, and SHA256SUMS.

Usage: cargo xtask dist [--order FILE] [--tag TAG] [TARGET…]
       cargo xtask dist --join FOLDER [--tag TAG]

Options:
  --join FOLDER  build nothing: write the manifest, the formula and the sums for the archives in a folder, which
                 come from several machines
  --order FILE   the order of functions of a release (kwasm-….order), to make the same again
  --tag TAG      fail unless this is the tag of this version

Arguments:
  TARGET…  x86_64-unknown-linux-musl, aarch64-unknown-linux-musl, x86_64-pc-windows-gnu, aarch64-apple-darwin,
           x86_64-apple-darwin [default: those for which this machine has linkers]

Of Linux on x86-64, functions that runs use lie side by side in it, as `xtask release` has them. The same commit, toolchain
and order give the same bytes in whatever folder. Each target takes 10 to 20 minutes of two cores. What runs on this machine is tried
out: in a root folder with nothing else, and by Krew.";

/// The version that is published.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where a release's files are.
const DOWNLOADS: &str = "https://github.com/kwasm-dev/kwasm/releases/download";

/// What to make.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// The folder with archives of several machines, if nothing is to be built.
    pub(crate) join: Option<PathBuf>,
    /// The order of functions of an earlier build of the same.
    pub(crate) order: Option<PathBuf>,
    /// The tag that is released.
    pub(crate) tag: Option<String>,
    pub(crate) targets: Vec<String>,
}

pub(crate) fn run(places: &Places, options: &Options) -> Result<ExitCode> {
    if let Some(tag) = &options.tag {
        ensure!(*tag == format!("v{VERSION}"), "the tag is {tag}, and the version {VERSION}");
    }
    if let Some(folder) = &options.join {
        let release = Release::prepare(places, std::path::absolute(folder)?)?;
        let archives = release.archives()?;
        for target in &target::ALL {
            let is_there = archives.iter().any(|archive| archive.target.triple == target.triple);
            ensure!(is_there, "{} has no {}", folder.display(), Archive::file(target));
        }
        release.documents(&archives)?;
        return Ok(ExitCode::SUCCESS);
    }
    let targets = chosen(&options.targets)?;
    // Read before what was made before is removed: it may be a part of that.
    let known = options
        .order
        .as_ref()
        .map(|file| fs::read(file).with_context(|| format!("cannot read {}", file.display())));
    let known = known.transpose()?;
    let folder = places.target.join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut report = Report::default();
    let release = report.step("set-up", || {
        if cfg!(target_os = "linux") {
            cross::set_up(places, Means::Build)?;
        }
        Release::prepare(places, folder)
    })?;
    let mut programs = Vec::new();
    for target in targets {
        let order = release.order(target, known.as_deref())?;
        programs
            .push((target, report.step(target.triple, || program::build(places, target, order.as_deref()))?));
    }
    let pages = report.step("manual and completions", || release.pages(&programs))?;
    let archives = report.step("archives", || {
        for (target, program) in &programs {
            release.pack(target, program, &pages)?;
        }
        release.archives()
    })?;
    report.step("image", || release.image(&programs))?;
    report.step("SBOM", || release.sbom(places))?;
    report.step("Krew, Homebrew, sums", || release.documents(&archives))?;
    if let Some(own) = archives.iter().find(|archive| archive.target.runs_here()) {
        report.step("a plugin", || check::prepare(places))?;
        if cfg!(target_os = "linux") {
            report.check("runs with nothing else", || release.runs_alone(places, own));
        }
        report.check("installed by Krew", || release.krew_installs(places, own));
    }
    report.print();
    print!("{}", fs::read_to_string(release.folder.join("SHA256SUMS"))?);
    println!("{}", release.folder.display());
    Ok(if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn chosen(named: &[String]) -> Result<Vec<&'static Target>> {
    let all = target::ALL.iter();
    if named.is_empty() {
        return Ok(all.filter(|target| target.is_built_here()).collect());
    }
    let find = |name: &String| {
        let Some(target) = target::ALL.iter().find(|target| target.triple == *name) else {
            bail!("no target `{name}`; there are {}", target::ALL.each_ref().map(|it| it.triple).join(", "));
        };
        ensure!(target.is_built_here(), "{name} cannot be linked on this system");
        Ok(target)
    };
    named.iter().map(find).collect()
}

/// What is made for a release, and what makes it.
struct Release {
    folder: PathBuf,
    root: PathBuf,
    packer: PathBuf,
    writer: image::Writer,
    /// The time of the commit, in seconds since 1970, which all files have.
    time: String,
    scratch: Scratch,
}

impl Release {
    fn prepare(places: &Places, folder: PathBuf) -> Result<Self> {
        let programs = cargo::build_dev(places, &["kwasm-pack"])?;
        let packer = cargo::program(&programs, "kwasm-pack")?.to_owned();
        let writer = image::Writer::build(places)?;
        let mut git = Command::new("git");
        git.args(["show", "--no-patch", "--format=%ct", "HEAD"]).current_dir(&places.root);
        let time = process::output(&mut git).context("the time of a release is that of its commit")?;
        let time = time.trim().to_owned();
        let scratch = places.scratch("dist")?;
        Ok(Self { folder, root: places.root.clone(), packer, writer, time, scratch })
    }

    /// Writes the manual and the completions by a program that runs here, and returns their folder.
    fn pages(&self, programs: &[(&Target, PathBuf)]) -> Result<PathBuf> {
        let own = programs.iter().find(|(target, _)| target.runs_here());
        let (_, kwasm) = own.context("no target is this machine's own: name that too")?;
        let pages = self.scratch.path().join("pages");
        let completions = pages.join("completions");
        fs::create_dir_all(&completions)?;
        process::run(Command::new(kwasm).args(["man", "--dir"]).arg(pages.join("man")))?;
        let files = [
            ("bash", "kwasm.bash"),
            ("elvish", "kwasm.elv"),
            ("fish", "kwasm.fish"),
            ("powershell", "_kwasm.ps1"),
            ("zsh", "_kwasm"),
        ];
        for (shell, file) in files {
            let script = process::output(Command::new(kwasm).args(["completion", shell]))?;
            fs::write(completions.join(file), script)?;
        }
        Ok(pages)
    }

    /// Returns the file of the order of a target's functions, which is a part of the release, if they are put into one.
    fn order(&self, target: &Target, known: Option<&[u8]>) -> Result<Option<PathBuf>> {
        if !target.is_ordered() {
            return Ok(None);
        }
        let order = self.folder.join(format!("{}.order", Archive::folder(target)));
        if let Some(known) = known {
            fs::write(&order, known).with_context(|| format!("cannot write {}", order.display()))?;
        }
        Ok(Some(order))
    }

    /// Packs a program, its documentation and the licence.
    fn pack(&self, target: &Target, program: &Path, pages: &Path) -> Result<()> {
        let name = Archive::folder(target);
        let stage = self.scratch.path().join(&name);
        copy(pages, &stage)?;
        fs::copy(program, stage.join(target.program()))?;
        for file in ["LICENSE", "README.md"] {
            fs::copy(self.root.join(file), stage.join(file))?;
        }
        let mut pack = Command::new(&self.packer);
        pack.arg("pack").arg(&stage).arg(self.folder.join(Archive::file(target)));
        process::run(pack.env("SOURCE_DATE_EPOCH", &self.time))
    }

    /// Returns the archives that are there.
    fn archives(&self) -> Result<Vec<Archive>> {
        let sums = self.sums()?;
        let found = target::ALL.iter().filter_map(|target| {
            let file = Archive::file(target);
            let (sum, _) =
                sums.lines().filter_map(|line| line.split_once("  ")).find(|(_, name)| *name == file)?;
            Some(Archive { target, folder: Archive::folder(target), file, sum: sum.to_owned() })
        });
        Ok(found.collect())
    }

    /// Returns a line with the SHA-256 sum and the name of each file.
    fn sums(&self) -> Result<String> {
        process::output(Command::new(&self.packer).arg("sums").arg(&self.folder))
    }

    /// Writes the image for the processors whose programs for Linux are there.
    fn image(&self, programs: &[(&Target, PathBuf)]) -> Result<()> {
        let variants: Vec<(Option<&str>, &Path)> = programs
            .iter()
            .filter(|(target, _)| target.os == "linux")
            .map(|(target, program)| (Some(target.architecture), program.as_path()))
            .collect();
        if variants.is_empty() {
            return Ok(());
        }
        let archive = self.folder.join(format!("kwasm-{VERSION}-image.tar"));
        let written = self.writer.kwasm(&variants, Path::new(image::AUTHORITIES), &[], archive)?;
        println!("{} {written}", written.digest);
        Ok(())
    }
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        }
    }
    Ok(())
}
