//! Real Chromium, headless, driven over its `DevTools` protocol.
//!
//! Input consists of mouse and keyboard events, so a test notices if something covers a button or moves it away. Chromium trusts
//! the site's certificate by its public key, after the site's authority vouched for it; it ignores no other certificate error.
//! Every wait ends after [`PATIENCE`], with a message.
//!
//! ```text
//! let Some(chromium) = chromium::or_skip(&[&visitor]).await else { return };
//! let member = chromium.person().await.page().await;      // own cookie jar
//! member.goto("https://localhost:8443/sign-in").await;
//! member.fill("[name=email]", "ada@example.org").await;
//! member.follow("text=Sign in").await;                    // a click that leads to another page
//! assert_eq!(member.troubles().await, []);
//! ```

mod page;
mod protocol;
mod tests;

pub(crate) use page::{Extent, Key, Kind, Page, Scheme, Screen};

use crate::programs;
use dewar::testing::{Browser, PATIENCE};
use protocol::Protocol;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A running Chromium; dropping it ends the process with all its pages.
#[derive(Debug)]
pub(crate) struct Chromium {
    protocol: Arc<Protocol>,
    process: Process,
}

/// A user at the browser, with cookies, storage and downloads of their own.
#[derive(Debug)]
pub(crate) struct Person {
    protocol: Arc<Protocol>,
    context: String,
    downloads: PathBuf,
}

/// Starts Chromium with trust in the sites of these test clients; if it is not installed, the test is skipped.
pub(crate) async fn or_skip(sites: &[&Browser]) -> Option<Chromium> {
    let program = program_or_skip()?;
    let mut pins = Vec::new();
    for site in sites {
        pins.push(site.pin().await.unwrap());
    }
    Some(Chromium::launch(&program, &pins).await)
}

/// The path of Chromium; if it is not installed, the test is skipped.
pub(crate) fn program_or_skip() -> Option<PathBuf> {
    programs::or_skip(
        "chromium",
        &["chromium", "chromium-browser", "google-chrome"],
    )
}

/// The flags of every Chromium of these tests. It has no sandbox, because CI runs as root, and the pages are our own.
pub(crate) const FLAGS: [&str; 13] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    // Reserved names (RFC 6761) resolve to this machine, so that a site can have a neighbour.
    "--host-resolver-rules=MAP *.portal.test 127.0.0.1",
];

impl Chromium {
    async fn launch(program: &Path, pins: &[String]) -> Self {
        let folder = TempDir::with_prefix("chromium").unwrap();
        let profile = folder.path().join("profile");
        let child = Command::new(program)
            .args(FLAGS)
            .arg("--remote-debugging-port=0")
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!(
                "--ignore-certificate-errors-spki-list={}",
                pins.join(",")
            ))
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(folder.path().join("stderr")).unwrap())
            .spawn()
            .unwrap();
        let mut process = Process { child, folder };
        let address = process.address().await;
        let protocol = Protocol::connect(&address).await;
        Self { protocol, process }
    }

    /// A new user, with an empty cookie jar.
    pub(crate) async fn person(&self) -> Person {
        let asked = json!({ "disposeOnDetach": true });
        let made = self
            .protocol
            .call("", "Target.createBrowserContext", asked)
            .await;
        let context = made["browserContextId"].as_str().unwrap().to_owned();
        let downloads = self
            .process
            .folder
            .path()
            .join(format!("downloads-{context}"));
        std::fs::create_dir(&downloads).unwrap();
        let behaviour = json!({
            "behavior": "allowAndName", "browserContextId": context,
            "downloadPath": downloads, "eventsEnabled": true,
        });
        self.protocol
            .call("", "Browser.setDownloadBehavior", behaviour)
            .await;
        Person {
            protocol: Arc::clone(&self.protocol),
            context,
            downloads,
        }
    }
}

impl Person {
    /// A new tab.
    pub(crate) async fn page(&self) -> Page {
        Page::open(
            Arc::clone(&self.protocol),
            &self.context,
            self.downloads.clone(),
        )
        .await
    }

    /// The addresses and titles of all tabs.
    pub(crate) async fn tabs(&self) -> Vec<(String, String)> {
        let told = self.protocol.call("", "Target.getTargets", json!({})).await;
        let targets = told["targetInfos"].as_array().unwrap().iter();
        let own = targets.filter(|it| it["browserContextId"] == self.context.as_str());
        own.map(|it| {
            let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
            (text("url"), text("title"))
        })
        .collect()
    }

    /// All cookies, as `Storage.getCookies` returns them: name, value, secure, httpOnly, sameSite, …
    pub(crate) async fn cookies(&self) -> Vec<Value> {
        let asked = json!({ "browserContextId": self.context });
        let told = self.protocol.call("", "Storage.getCookies", asked).await;
        told["cookies"].as_array().unwrap().clone()
    }
}

/// The browser's process, which is ended by its id, and its profile folder.
#[derive(Debug)]
struct Process {
    child: Child,
    folder: TempDir,
}

impl Process {
    /// Chromium writes the port and path of its protocol into its profile once it listens.
    async fn address(&mut self) -> String {
        let folder = self.folder.path();
        let end = Instant::now() + PATIENCE;
        loop {
            let written = std::fs::read_to_string(folder.join("profile/DevToolsActivePort"));
            if let Ok(text) = written
                && let Some((port, path)) = text.trim().split_once('\n')
            {
                return format!("ws://127.0.0.1:{port}{path}");
            }
            let ended = self.child.try_wait().unwrap();
            let said = || std::fs::read_to_string(folder.join("stderr")).unwrap_or_default();
            assert!(
                ended.is_none(),
                "Chromium ended at once, {ended:?}:\n{}",
                said()
            );
            assert!(Instant::now() < end, "Chromium does not start:\n{}", said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Either fails only if it has ended already, which is fine.
        self.child.kill().ok();
        self.child.wait().ok();
        // Its child processes end later, and may write into the profile until then.
        let end = Instant::now() + Duration::from_secs(2);
        while std::fs::remove_dir_all(self.folder.path()).is_err() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}
