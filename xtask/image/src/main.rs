//! `kwasm-image`: writes an image of programs and files as an archive of an OCI layout, which `skopeo`, `podman`, `oras` and `ctr` read.
//!
//! The same files make the same bytes: nothing of the machine but their content and their being executable gets into it. Needs neither a
//! daemon nor root.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program of the terminal")]
#![expect(
    clippy::disallowed_methods,
    reason = "the bans are for the host, which is confined; this is a tool of the house"
)]

mod arguments;
mod layer;
mod layout;
mod libraries;

use std::{fs, process::ExitCode};

use anyhow::{Context, Result};

use arguments::{Arguments, Parsed, Variant};
use layer::Layer;
use layout::Image;

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Parsed::Help(text)) => {
            println!("{text}");
            return ExitCode::SUCCESS;
        }
        Ok(Parsed::Arguments(arguments)) => arguments,
        Err(error) => {
            eprintln!("kwasm-image: {error}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("kwasm-image: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the image, and returns a line of JSON about it.
fn run(arguments: &Arguments) -> Result<String> {
    let mut layers = Vec::new();
    for variant in &arguments.variants {
        layers.push((variant.architecture.as_str(), layer(variant, arguments)?));
    }
    let image = Image::new(&layers, &arguments.configuration, arguments.name.as_deref())?;
    let archive = image.archive()?;
    let path = &arguments.out;
    fs::write(path, archive).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(image.summary().to_string())
}

/// Returns the layer of an image as a tar.
fn layer(variant: &Variant, arguments: &Arguments) -> Result<Vec<u8>> {
    let mut layer = Layer::default();
    for program in &variant.programs {
        layer.add(program)?;
        for library in libraries::of(&program.host)? {
            layer.add(&library)?;
        }
    }
    for file in &arguments.files {
        layer.add(file)?;
    }
    for folder in &arguments.folders {
        layer.add_folder(folder)?;
    }
    layer.into_tar()
}
