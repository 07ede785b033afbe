//! The visible content of a page, the browser's complaints, and accessibility barriers.

use super::super::protocol::Event;
use super::Page;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

const ACCESSIBILITY: &str = include_str!("accessibility.js");

/// The size of the window.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Screen {
    Desktop,
    Mobile,
}

/// The user's preferred colours.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scheme {
    Dark,
    Light,
}

/// The part of the page in a screenshot.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Extent {
    Full,
    Window,
}

/// A complaint of the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trouble {
    pub(crate) kind: Kind,
    pub(crate) text: String,
}

/// The subject of a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A script's warning or error.
    Console,
    /// A dialog that a script opened; in a page without scripts, an injected one.
    Dialog,
    /// A script that failed.
    Exception,
    /// A finding of the browser's own audit: cookies, labels, deprecations, …
    Issue,
    /// A response of 400 or above, or none.
    Network,
    /// The content security policy blocked something.
    Policy,
}

impl Page {
    /// The visible text of the first matching element; empty if none matches.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let script = format!(
            "document.querySelector({})?.innerText ?? ''",
            json!(selector)
        );
        self.evaluate(&script)
            .await
            .as_str()
            .unwrap()
            .trim()
            .to_owned()
    }

    /// The visible text of every matching element.
    pub(crate) async fn texts(&self, selector: &str) -> Vec<String> {
        let script = format!(
            "[...document.querySelectorAll({})].map((element) => element.innerText.trim())",
            json!(selector)
        );
        strings(&self.evaluate(&script).await)
    }

    /// The value of a field.
    pub(crate) async fn value(&self, selector: &str) -> String {
        let script = format!("document.querySelector({})?.value ?? ''", json!(selector));
        self.evaluate(&script).await.as_str().unwrap().to_owned()
    }

    /// Sets the size of the window: 1280 by 900, or a phone's 390 by 844.
    pub(crate) async fn screen(&self, screen: Screen) {
        let size = match screen {
            Screen::Desktop => {
                json!({ "width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": false })
            }
            Screen::Mobile => {
                json!({ "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": true })
            }
        };
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Sets the preferred colours.
    pub(crate) async fn scheme(&self, scheme: Scheme) {
        let value = match scheme {
            Scheme::Dark => "dark",
            Scheme::Light => "light",
        };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.call("Emulation.setEmulatedMedia", features).await;
    }

    /// Saves a picture of the page as PNG, and creates its folders.
    pub(crate) async fn screenshot(&self, path: &Path, extent: Extent) {
        let mut asked = json!({ "format": "png" });
        if matches!(extent, Extent::Full) {
            let layout = self.call("Page.getLayoutMetrics", json!({})).await;
            let size = &layout["cssContentSize"];
            asked["captureBeyondViewport"] = true.into();
            asked["clip"] = json!({
                "x": 0, "y": 0, "scale": 1, "width": size["width"], "height": size["height"],
            });
        }
        let picture = self.call("Page.captureScreenshot", asked).await;
        let bytes = data_encoding::BASE64.decode(picture["data"].as_str().unwrap().as_bytes());
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes.unwrap()).unwrap();
    }

    /// All complaints of the browser since the tab was opened. A test asserts that there are none, or only those that it
    /// provoked.
    pub(crate) async fn troubles(&self) -> Vec<Trouble> {
        // Complaints come from several processes; an earlier one gets time to arrive.
        tokio::time::sleep(Duration::from_millis(50)).await;
        self.protocol.since(self.opened, |event| {
            (event.session == self.session)
                .then(|| trouble(event))
                .flatten()
        })
    }

    /// Accessibility barriers (WCAG 2.2 AA, as far as a program can find them): controls and links without a name, pictures
    /// without text, text without contrast, a page that must be scrolled sideways, …
    pub(crate) async fn barriers(&self) -> Vec<String> {
        let mut barriers = strings(&self.evaluate(&format!("({ACCESSIBILITY})()")).await);
        let tree = self.call("Accessibility.getFullAXTree", json!({})).await;
        for node in tree["nodes"].as_array().unwrap() {
            let role = node["role"]["value"].as_str().unwrap_or_default();
            let named = node["name"]["value"]
                .as_str()
                .is_some_and(|name| !name.trim().is_empty());
            if NAMED_ROLES.contains(&role) && node["ignored"] == false && !named {
                barriers.push(format!("a {role} has no name"));
            }
        }
        barriers
    }
}

/// Roles of the browser's accessibility tree that need a name.
const NAMED_ROLES: [&str; 14] = [
    "RootWebArea",
    "button",
    "checkbox",
    "combobox",
    "dialog",
    "image",
    "link",
    "listbox",
    "option",
    "radio",
    "searchbox",
    "slider",
    "spinbutton",
    "textbox",
];

fn trouble(event: &Event) -> Option<Trouble> {
    let params = &event.params;
    let (kind, text) = match event.method.as_str() {
        "Runtime.consoleAPICalled" => {
            let loud = ["error", "warning", "assert"].contains(&params["type"].as_str()?);
            (loud.then_some(Kind::Console)?, params["args"].to_string())
        }
        "Runtime.exceptionThrown" => (Kind::Exception, params["exceptionDetails"].to_string()),
        "Page.javascriptDialogOpening" => (Kind::Dialog, params["message"].to_string()),
        "Log.entryAdded" => {
            let entry = &params["entry"];
            let loud = ["error", "warning"].contains(&entry["level"].as_str()?);
            let kind = match entry["source"].as_str()? {
                "network" => Kind::Network,
                "security" => Kind::Policy,
                _ => Kind::Issue,
            };
            (
                loud.then_some(kind)?,
                format!("{} {}", entry["text"], entry["url"]),
            )
        }
        "Audits.issueAdded" => {
            let issue = &params["issue"];
            let kind = match issue["code"].as_str()? {
                "ContentSecurityPolicyIssue" => Kind::Policy,
                _ => Kind::Issue,
            };
            (kind, issue.to_string())
        }
        _ => return None,
    };
    Some(Trouble { kind, text })
}

fn strings(list: &Value) -> Vec<String> {
    let texts = list
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap().to_owned());
    texts.collect()
}
