//! `dewar new` starts an application, `dewar generate resource` adds to one.
#![forbid(unsafe_code)]

mod error;
mod field;
mod names;
mod new;
mod plan;
mod resource;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use error::Error;
use field::Field;
use names::Names;

/// Starts applications on Dewar, and adds to them.
#[derive(Parser, Debug)]
#[command(name = "dewar", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Makes a new application: layout, sign-in, a test, CI file, Dockerfile, systemd unit.
    New {
        /// Its name, and that of its folder: small letters, digits, `-` and `_`.
        name: String,
        /// The folder of the crate `dewar`. Without it: the copy that this program was built from, or else the published crate.
        #[arg(long, value_name = "FOLDER")]
        dewar: Option<PathBuf>,
    },
    /// Adds code to the application in the current folder.
    #[command(subcommand)]
    Generate(Generate),
}

#[derive(Subcommand, Debug)]
enum Generate {
    /// Adds a model with its migration, forms, pages, access rule and tests: `resource ticket title:line body:clean_html due:date? "state:choice(open,closed)"`.
    Resource {
        /// The name of one: `ticket`, `support_request`.
        name: Names,
        /// The fields, as `name:type`; a `?` at the end makes one optional. The first names the record in lists, and is a `line`.
        #[arg(required = true)]
        fields: Vec<Field>,
        /// The name of many, if it is irregular.
        #[arg(long)]
        plural: Option<String>,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(said) => {
            say(&said);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<String, Error> {
    match command {
        Command::New { name, dewar } => new::application(&name, dewar),
        Command::Generate(Generate::Resource {
            name,
            fields,
            plural,
        }) => {
            let names = name.with_plural(plural)?;
            resource::generate(Path::new("."), &names, &fields)
        }
    }
}

#[expect(clippy::print_stdout, reason = "a program for the terminal")]
fn say(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "a program for the terminal")]
fn complain(error: &Error) {
    eprintln!("error: {error}");
}
