//! A user's actions on a page.

use super::super::protocol::Event;
use super::Page;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const FIND: &str = include_str!("find.js");

/// A file that the browser saved.
#[derive(Debug)]
pub(crate) struct Downloaded {
    /// Its path.
    pub(crate) path: PathBuf,
    /// The name under which the browser would save it.
    pub(crate) name: String,
}

/// `selector` is a CSS selector, or `text=Sign in` for a link or button with exactly this text.
impl Page {
    /// Clicks an element at its centre, after scrolling to it, without waiting.
    pub(crate) async fn click(&self, selector: &str) {
        let element = self.element(selector).await;
        self.on(
            &element,
            "function() { this.scrollIntoView({ block: 'center', behavior: 'instant' }) }",
            &[],
        )
        .await;
        let shape = self
            .call("DOM.getContentQuads", json!({ "objectId": element }))
            .await;
        let corners = shape["quads"][0].as_array();
        let corners: Vec<f64> = corners
            .into_iter()
            .flatten()
            .filter_map(Value::as_f64)
            .collect();
        let &[left, top, .., right, bottom, _, _] = corners.as_slice() else {
            panic!("`{selector}` on {} cannot be seen", self.url().await);
        };
        let (x, y) = (f64::midpoint(left, right), f64::midpoint(top, bottom));
        let reached = "function(x, y) {
            const hit = document.elementFromPoint(x, y);
            const own = hit && (this.contains(hit) || hit.closest('label')?.control === this);
            return own ? '' : hit?.outerHTML.slice(0, 200) ?? 'nothing';
        }";
        let cover = self.on(&element, reached, &[x.into(), y.into()]).await;
        assert_eq!(cover, "", "`{selector}` on {} is covered", self.url().await);
        for (kind, buttons) in [("mouseMoved", 0), ("mousePressed", 1), ("mouseReleased", 0)] {
            let button = if kind == "mouseMoved" { "none" } else { "left" };
            let event = json!({
                "type": kind, "x": x, "y": y, "button": button, "buttons": buttons, "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Clicks a link to another page, and waits until that is loaded.
    pub(crate) async fn follow(&self, selector: &str) {
        let mark = self.protocol.mark();
        self.click(selector).await;
        self.arrived(mark, &format!("what `{selector}` leads to"))
            .await;
    }

    /// Runs a script that navigates to another page, and waits until that is loaded.
    pub(crate) async fn led_by(&self, script: &str) {
        let mark = self.protocol.mark();
        self.evaluate(script).await;
        self.arrived(mark, &format!("what `{script}` leads to"))
            .await;
    }

    /// Presses the first submit button of a form, and waits for the resulting page.
    pub(crate) async fn submit(&self, form: &str) {
        self.follow(&format!(
            "{form} :is(button:not([type=button], [type=reset]), [type=submit])"
        ))
        .await;
    }

    /// Types into a field, and replaces its text.
    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        self.click(selector).await;
        self.key(
            "a",
            "KeyA",
            65,
            json!({ "modifiers": 2, "commands": ["selectAll"] }),
        )
        .await;
        if text.is_empty() {
            self.press(Key::Backspace).await;
        } else {
            self.call("Input.insertText", json!({ "text": text })).await;
        }
    }

    /// Presses one key in the focused element.
    pub(crate) async fn press(&self, key: Key) {
        let (key, code, number, text) = match key {
            Key::Backspace => ("Backspace", "Backspace", 8, ""),
            Key::Enter => ("Enter", "Enter", 13, "\r"),
            Key::Escape => ("Escape", "Escape", 27, ""),
            Key::Space => (" ", "Space", 32, " "),
            Key::Tab => ("Tab", "Tab", 9, ""),
        };
        let typed = if text.is_empty() {
            json!({})
        } else {
            json!({ "text": text })
        };
        self.key(key, code, number, typed).await;
    }

    /// Presses Enter in the focused element, and waits for the resulting page.
    pub(crate) async fn enter(&self) {
        let mark = self.protocol.mark();
        self.press(Key::Enter).await;
        self.arrived(mark, "what Enter leads to").await;
    }

    /// Chooses an option by its value. The system draws the list, so it cannot be clicked; the page gets the same events.
    pub(crate) async fn select(&self, selector: &str, value: &str) {
        let element = self.element(selector).await;
        let choose = "function(value) {
            const option = [...this.options].find((option) => option.value === value && !option.disabled);
            if (!option) return false;
            option.selected = true;
            for (const name of ['input', 'change']) this.dispatchEvent(new Event(name, { bubbles: true }));
            return true;
        }";
        let chosen = self.on(&element, choose, &[value.into()]).await;
        assert_eq!(chosen, true, "`{selector}` does not offer `{value}`");
    }

    /// Checks a checkbox or a radio button, if it is not checked.
    pub(crate) async fn check(&self, selector: &str) {
        if !self.is_checked(selector).await {
            self.click(selector).await;
        }
        assert!(
            self.is_checked(selector).await,
            "`{selector}` does not stay ticked"
        );
    }

    /// Chooses files.
    pub(crate) async fn set_files(&self, selector: &str, files: &[&Path]) {
        let element = self.element(selector).await;
        let asked = json!({ "objectId": element, "files": files });
        self.call("DOM.setFileInputFiles", asked).await;
    }

    /// Clicks a link that starts a download, and waits for the file.
    pub(crate) async fn download(&self, selector: &str) -> Downloaded {
        let mark = self.protocol.mark();
        self.click(selector).await;
        let begun = |event: &Event| {
            let own = event.params["frameId"] == self.frame.as_str();
            (own && event.method == "Browser.downloadWillBegin").then(|| event.params.clone())
        };
        let begun = self
            .protocol
            .wait(mark, "the download to begin", begun)
            .await;
        let ended = |event: &Event| {
            let state = event.params["state"].as_str()?;
            let own = event.params["guid"] == begun["guid"] && state != "inProgress";
            (own && event.method == "Browser.downloadProgress").then(|| state.to_owned())
        };
        let state = self.protocol.wait(mark, "the download to end", ended).await;
        assert_eq!(state, "completed", "the download of {}", begun["url"]);
        let text = |key: &str| begun[key].as_str().unwrap();
        Downloaded {
            path: self.downloads.join(text("guid")),
            name: text("suggestedFilename").to_owned(),
        }
    }

    async fn is_checked(&self, selector: &str) -> bool {
        let element = self.element(selector).await;
        self.on(&element, "function() { return this.checked }", &[])
            .await
            == true
    }

    async fn element(&self, selector: &str) -> String {
        let asked = json!({ "expression": format!("({FIND})({})", json!(selector)) });
        let found = self.call("Runtime.evaluate", asked).await;
        match found["result"]["objectId"].as_str() {
            Some(id) => id.to_owned(),
            None => {
                let (url, text) = (self.url().await, self.text("body").await);
                panic!(
                    "no `{selector}` on {url} ({}):\n{text}",
                    found["exceptionDetails"]
                );
            }
        }
    }

    async fn on(&self, element: &str, function: &str, arguments: &[Value]) -> Value {
        let arguments: Vec<Value> = arguments
            .iter()
            .map(|value| json!({ "value": value }))
            .collect();
        let asked = json!({
            "objectId": element, "functionDeclaration": function,
            "arguments": arguments, "returnByValue": true,
        });
        let mut told = self.call("Runtime.callFunctionOn", asked).await;
        assert!(
            told["exceptionDetails"].is_null(),
            "{}",
            told["exceptionDetails"]
        );
        told["result"]["value"].take()
    }

    async fn key(&self, key: &str, code: &str, number: u32, more: Value) {
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({
                "type": kind, "key": key, "code": code,
                "windowsVirtualKeyCode": number, "nativeVirtualKeyCode": number,
            });
            if kind == "keyDown" {
                let more = more.as_object().cloned().unwrap_or_default();
                event.as_object_mut().unwrap().extend(more);
            }
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }
}

/// A key that is not a letter.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Key {
    Backspace,
    Enter,
    Escape,
    Space,
    Tab,
}
