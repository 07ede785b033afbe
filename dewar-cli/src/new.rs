//! A new application.

use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use crate::error::Error;
use crate::names::capital;
use crate::plan::Plan;

#[derive(RustEmbed)]
#[folder = "skeleton"]
struct Skeleton;

/// Makes the application in a folder of its name.
pub(crate) fn application(name: &str, dewar: Option<PathBuf>) -> Result<String, Error> {
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !starts || !name.chars().all(fits) || name.len() > 60 || ["dewar", "test"].contains(&name) {
        return Err(Error::PackageName(name.to_owned()));
    }
    let folder = Path::new(name);
    if folder.exists() {
        return Err(Error::Exists(folder.to_owned()));
    }
    let (plain, testing) = dependency(dewar.or_else(beside))?;
    let words = [
        ("__name__", name.to_owned()),
        ("__crate__", name.replace('-', "_")),
        ("__title__", capital(&name.replace(['-', '_'], " "))),
        ("__dewar__", plain),
        ("__dewar_testing__", testing),
    ];
    let filled = |text: &str| {
        words.iter().fold(text.to_owned(), |text, (word, value)| {
            text.replace(word, value)
        })
    };
    let mut plan = Plan::default();
    for path in Skeleton::iter() {
        let Some(file) = Skeleton::get(&path) else {
            continue;
        };
        plan.add(
            file_name(&filled(&path)),
            filled(&String::from_utf8_lossy(&file.data)),
        );
    }
    let said = plan.write(folder)?;
    Ok(format!(
        "{said}\n\nNext:\n  cd {name}\n  cargo run\n  dewar generate resource ticket title:line body:clean_html due:date?"
    ))
}

/// Some files have another name in the skeleton, because Cargo and Git would take them for their own.
fn file_name(path: &str) -> PathBuf {
    PathBuf::from(match path {
        "Cargo.toml.txt" => "Cargo.toml",
        "gitignore.txt" => ".gitignore",
        "dockerignore.txt" => ".dockerignore",
        other => other,
    })
}

/// The copy of Dewar that this program was built from, if it is still there.
fn beside() -> Option<PathBuf> {
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dewar");
    copy.join("Cargo.toml").exists().then_some(copy)
}

/// The dependency, and the one of the tests, as Cargo's TOML.
fn dependency(folder: Option<PathBuf>) -> Result<(String, String), Error> {
    let version = env!("CARGO_PKG_VERSION");
    let source = match folder {
        None => format!("version = \"{version}\""),
        Some(folder) => {
            let folder = folder
                .canonicalize()
                .map_err(|error| Error::File(folder.clone(), error))?;
            format!("path = {:?}", folder.display().to_string())
        }
    };
    Ok((
        format!("{{ {source} }}"),
        format!("{{ {source}, features = [\"testing\"] }}"),
    ))
}
