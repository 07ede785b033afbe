use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use dewar::secrets::Token;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::sources::{Error, Person, RouteList};

/// How long an application may take to start: it creates keys and migrates a database.
const START: Duration = Duration::from_secs(60);

/// An address that nobody reads.
const EMAIL: &str = "auditor@audit.example";

/// An application that runs for the audit, on free ports and with temporary data.
#[derive(Debug)]
pub(super) struct Application {
    pub(super) url: String,
    pub(super) plain: Option<String>,
    pub(super) routes: RouteList,
    password: Option<Token>,
    place: TempDir,
    child: Child,
}

impl Application {
    /// Starts it: reads its route table, adds an account without a role, serves.
    pub(super) async fn run(name: &str) -> Result<Self, Error> {
        let binary = find(name)?;
        let place = tempfile::tempdir().map_err(Error::file(&std::env::temp_dir()))?;
        let routes = RouteList::read(&output(&binary, &place, &["routes", "--json"], None).await?)?;
        let password = routes.sign_in().map(|_| Token::new());
        if let Some(password) = &password {
            let add = ["users", "add", "--email", EMAIL, "--password-stdin"];
            output(&binary, &place, &add, Some(&password.reveal())).await?;
        }
        let (child, url, plain) = serve(&binary, &place).await?;
        Ok(Self {
            url,
            plain,
            routes,
            password,
            place,
            child,
        })
    }

    pub(super) fn data(&self) -> PathBuf {
        self.place.path().join("data")
    }

    pub(super) fn authority(&self) -> PathBuf {
        self.data().join("local-authority/authority.pem")
    }

    /// Its standard error.
    pub(super) fn printed(&self) -> PathBuf {
        printed(&self.place)
    }

    /// The account without a role.
    pub(super) fn person(&self) -> Option<Person> {
        self.password
            .as_ref()
            .map(|password| Person::new(EMAIL, password.reveal(), Vec::new()))
    }

    /// Ends the process and deletes its data.
    pub(super) async fn end(mut self) {
        // It fails only if the process has ended already.
        drop(self.child.kill().await);
    }
}

/// Finds a path, or the name of a binary beside this one, or in the directory of the other profile.
pub(super) fn find(name: &str) -> Result<PathBuf, Error> {
    let missing = |text: String| Error::Application(text);
    if name.contains(std::path::MAIN_SEPARATOR) {
        return std::path::absolute(name).map_err(Error::file(Path::new(name)));
    }
    let own = std::env::current_exe().map_err(Error::file(Path::new("dewar-audit")))?;
    let beside = own.parent().unwrap_or(Path::new("."));
    let target = beside.parent().unwrap_or(Path::new("."));
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let places = [
        beside.to_owned(),
        target.join("release"),
        target.join("debug"),
    ];
    let found = places
        .iter()
        .map(|place| place.join(&file))
        .find(|path| path.is_file());
    found.ok_or_else(|| {
        missing(format!(
            "there is no `{name}` beside dewar-audit; build it first: cargo build -p {name}"
        ))
    })
}

/// The application in a directory of its own: without a `dewar.toml` of the user, and without settings of this shell.
fn command(binary: &Path, place: &TempDir) -> Command {
    let mut command = Command::new(binary);
    command
        .current_dir(place.path())
        .kill_on_drop(true)
        .stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("DEWAR_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs one of its commands to the end.
async fn output(
    binary: &Path,
    place: &TempDir,
    arguments: &[&str],
    input: Option<&str>,
) -> Result<String, Error> {
    let mut command = command(binary, place);
    command
        .args(arguments)
        .args(["--data", "data"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if input.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = command.spawn().map_err(Error::file(binary))?;
    if let (Some(mut stdin), Some(text)) = (child.stdin.take(), input) {
        stdin
            .write_all(text.as_bytes())
            .await
            .map_err(Error::file(binary))?;
    }
    let what = arguments.join(" ");
    let output = tokio::time::timeout(START, child.wait_with_output()).await;
    let output = output
        .map_err(|_| Error::Application(format!("`{what}` took too long")))?
        .map_err(Error::file(binary))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Application(format!(
            "`{what}` failed: {}",
            said.trim()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn printed(place: &TempDir) -> PathBuf {
    place.path().join("printed.log")
}

async fn serve(binary: &Path, place: &TempDir) -> Result<(Child, String, Option<String>), Error> {
    let printed = printed(place);
    let file = File::create(&printed).map_err(Error::file(&printed))?;
    let mut child = command(binary, place)
        .args([
            "serve",
            "--data",
            "data",
            "--https",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
        ])
        .stdout(Stdio::piped())
        .stderr(file)
        .spawn()
        .map_err(Error::file(binary))?;
    let Some(stdout) = child.stdout.take() else {
        return Err(Error::Application(
            "the application has no standard output".to_owned(),
        ));
    };
    let mut lines = BufReader::new(stdout).lines();
    let addresses = tokio::time::timeout(START, addresses(&mut lines)).await;
    let late = || Error::Application("the application did not print its address".to_owned());
    match addresses.map_err(|_| late())? {
        Some((url, plain)) => {
            // A full pipe would block it.
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            Ok((child, url, plain))
        }
        None => {
            let said = std::fs::read_to_string(&printed).unwrap_or_default();
            Err(Error::Application(format!(
                "the application did not start: {}",
                said.trim()
            )))
        }
    }
}

/// Reads the addresses that an application prints when it is ready: that of HTTPS on a line of its own, and that of HTTP, which
/// redirects there. None if its output ends before.
async fn addresses(lines: &mut Lines<BufReader<ChildStdout>>) -> Option<(String, Option<String>)> {
    let mut url = None;
    while let Ok(Some(line)) = lines.next_line().await {
        let word = line.split_whitespace().next().unwrap_or_default();
        if url.is_none() && word.starts_with("https://") {
            url = Some(word.to_owned());
        } else if word.starts_with("http://") {
            return Some((url?, Some(word.to_owned())));
        } else if word == "Data:" {
            return Some((url?, None));
        }
    }
    None
}
