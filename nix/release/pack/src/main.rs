//! Makes what is released of a program: archives, OCI images, the licence texts of all that is in it, and what a bill of
//! materials of cargo's crates lacks. The same input gives the same bytes.

mod bom;
mod crates;
mod error;
mod files;
mod image;
mod licences;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use error::{Error, Result};

/// Makes what is released of a program
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Packs a folder as a .tar.gz, with its name as the top folder
    Archive {
        #[arg(long)]
        folder: PathBuf,
        #[arg(long)]
        output: PathBuf,
    },
    /// Makes an OCI archive of one image for several platforms
    Image {
        /// The image's configuration as JSON: Entrypoint, Cmd, User, Env, Labels and so on
        #[arg(long)]
        config: PathBuf,
        /// The name that tools load it under, such as broker:0.1.0
        #[arg(long)]
        name: String,
        /// What all platforms have: the first layer
        #[arg(long)]
        shared: PathBuf,
        /// A platform and what it has beside: amd64=FOLDER
        #[arg(long, required = true, value_parser = pair)]
        platform: Vec<(String, String)>,
        #[arg(long)]
        output: PathBuf,
    },
    /// Adds to a bill of materials of cargo-cyclonedx what cargo does not know of
    Bom {
        /// What cargo-cyclonedx wrote
        #[arg(long)]
        crates: PathBuf,
        /// The folder in which it ran
        #[arg(long)]
        root: String,
        /// Vendored crates
        #[arg(long)]
        vendor: Vec<PathBuf>,
        /// A JSON list of components to add
        #[arg(long)]
        materials: PathBuf,
        #[arg(long)]
        output: PathBuf,
    },
    /// Collects the licence texts of all components of a bill of materials
    Licences {
        #[arg(long)]
        bom: PathBuf,
        /// Vendored crates
        #[arg(long)]
        vendor: Vec<PathBuf>,
        /// The folder of the project's workspace, whose own packages are no vendored crates
        #[arg(long)]
        source: PathBuf,
        /// The folder of the package that is released
        #[arg(long)]
        package: PathBuf,
        /// The text for a component that has none, or for all that is not a crate: NAME=FILE, or a folder of files
        #[arg(long, value_parser = pair)]
        text: Vec<(String, String)>,
        #[arg(long)]
        output: PathBuf,
    },
}

fn pair(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => {
            Ok((name.into(), value.into()))
        }
        _ => Err("it is written NAME=PATH".into()),
    }
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pack: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    match command {
        Command::Archive { folder, output } => {
            let name = folder
                .file_name()
                .ok_or_else(|| Error::NoName(folder.clone()))?;
            let tar = files::tar(&folder, name.as_ref())?;
            files::write(&output, &files::gzip(&tar)?)
        }
        Command::Image {
            config,
            name,
            shared,
            platform,
            output,
        } => {
            let config = files::read(&config)?;
            let archive = image::archive(&config, &name, &shared, &platform)?;
            files::write(&output, &archive)
        }
        Command::Bom {
            crates,
            root,
            vendor,
            materials,
            output,
        } => {
            let known = files::json(&crates)?;
            let materials = files::json(&materials)?;
            let vendored = crates::Crates::read(&vendor)?;
            let bom = bom::complete(known, &root, &vendored, &materials)?;
            files::write(&output, (bom + "\n").as_bytes())
        }
        Command::Licences {
            bom,
            vendor,
            source,
            package,
            text,
            output,
        } => {
            let bom = files::json(&bom)?;
            let vendored = crates::Crates::read(&vendor)?;
            let project = licences::Project {
                root: &source,
                package: &package,
            };
            licences::collect(&bom, &vendored, &project, &text, &output)
        }
    }
}
