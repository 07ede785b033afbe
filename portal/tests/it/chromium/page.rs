//! A tab: navigation, and its state. `act` has the user's actions, `look` what a user sees.

mod act;
mod look;

pub(crate) use act::Key;
pub(crate) use look::{Extent, Kind, Scheme, Screen};

use super::protocol::{Event, Protocol};
use dewar::testing::PATIENCE;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A tab of one user's browser.
#[derive(Debug)]
pub(crate) struct Page {
    protocol: Arc<Protocol>,
    session: String,
    /// The page's main frame, whose id is that of the tab.
    frame: String,
    downloads: PathBuf,
    opened: usize,
}

impl Page {
    pub(super) async fn open(protocol: Arc<Protocol>, context: &str, downloads: PathBuf) -> Self {
        let opened = protocol.mark();
        let asked = json!({ "url": "about:blank", "browserContextId": context });
        let made = protocol.call("", "Target.createTarget", asked).await;
        let frame = made["targetId"].as_str().unwrap().to_owned();
        let asked = json!({ "targetId": frame, "flatten": true });
        let attached = protocol.call("", "Target.attachToTarget", asked).await;
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let page = Self {
            protocol,
            session,
            frame,
            downloads,
            opened,
        };
        for domain in [
            "Page",
            "Runtime",
            "Log",
            "Network",
            "Audits",
            "DOM",
            "Accessibility",
        ] {
            page.call(&format!("{domain}.enable"), json!({})).await;
        }
        page.screen(Screen::Desktop).await;
        page
    }

    /// Opens an address and waits until the page is loaded.
    pub(crate) async fn goto(&self, url: &str) {
        let mark = self.protocol.mark();
        let went = self.call("Page.navigate", json!({ "url": url })).await;
        assert!(went["errorText"].is_null(), "{url}: {}", went["errorText"]);
        self.arrived(mark, url).await;
    }

    /// Presses the back button. Returns whether there was a page to go back to.
    pub(crate) async fn back(&self) -> bool {
        let history = self.call("Page.getNavigationHistory", json!({})).await;
        let entries = history["entries"].as_array().unwrap();
        let place = usize::try_from(history["currentIndex"].as_u64().unwrap()).unwrap();
        let Some(entry) = place.checked_sub(1).and_then(|place| entries.get(place)) else {
            return false;
        };
        let mark = self.protocol.mark();
        self.call(
            "Page.navigateToHistoryEntry",
            json!({ "entryId": entry["id"] }),
        )
        .await;
        self.arrived(mark, "the page before").await;
        true
    }

    /// Reloads the page.
    pub(crate) async fn reload(&self) {
        let mark = self.protocol.mark();
        self.call("Page.reload", json!({})).await;
        self.arrived(mark, "the page again").await;
    }

    /// The address in the address bar.
    pub(crate) async fn url(&self) -> String {
        self.evaluate("location.href")
            .await
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The path in the address bar.
    pub(crate) async fn path(&self) -> String {
        self.evaluate("location.pathname")
            .await
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// The status of the latest response that became this page.
    pub(crate) fn status(&self) -> u64 {
        let document = |event: &Event| {
            (event.session == self.session
                && event.method == "Network.responseReceived"
                && event.params["type"] == "Document"
                && event.params["frameId"] == self.frame.as_str())
            .then(|| event.params["response"]["status"].as_u64())
            .flatten()
        };
        self.protocol
            .since(self.opened, document)
            .pop()
            .expect("no page was loaded")
    }

    /// Runs a script in the page and returns its value; the page's content security policy does not stop it.
    pub(crate) async fn evaluate(&self, script: &str) -> Value {
        let told = self.try_evaluate(script).await;
        told.unwrap_or_else(|problem| panic!("`{script}`: {problem}"))
    }

    /// Sends any command of the protocol to this tab.
    pub(crate) async fn call(&self, method: &str, params: Value) -> Value {
        self.protocol.call(&self.session, method, params).await
    }

    async fn try_evaluate(&self, script: &str) -> Result<Value, String> {
        let asked = json!({ "expression": script, "returnByValue": true, "awaitPromise": true });
        let mut told = self
            .protocol
            .try_call(&self.session, "Runtime.evaluate", asked)
            .await?;
        let problem = &told["exceptionDetails"];
        if !problem.is_null() {
            return Err(problem.to_string());
        }
        Ok(told["result"]["value"].take())
    }

    /// Waits until the tab's main frame shows another document, and all of it is loaded.
    ///
    /// The load event alone is not enough: a page from the back/forward cache has none.
    async fn arrived(&self, mark: usize, whither: &str) {
        let what = format!("{whither} to load");
        let navigated = |event: &Event| {
            let own = match event.method.as_str() {
                "Page.frameNavigated" => event.params["frame"]["id"] == self.frame.as_str(),
                "Page.navigatedWithinDocument" => event.params["frameId"] == self.frame.as_str(),
                _ => false,
            };
            (own && event.session == self.session).then(|| event.params["frame"].clone())
        };
        let frame = self.protocol.wait(mark, &what, navigated).await;
        assert!(
            frame["unreachableUrl"].is_null(),
            "{} is out of reach",
            frame["unreachableUrl"]
        );
        // Between two documents nothing may answer; then the test asks again.
        let end = Instant::now() + PATIENCE;
        while self.try_evaluate("document.readyState").await != Ok("complete".into()) {
            assert!(
                Instant::now() < end,
                "waited {PATIENCE:?} in vain for {what}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
