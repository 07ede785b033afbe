//! A form as a user sees it, and as an attacker does (HTML Standard, 4.10.21.4 "constructing the entry list").

use super::body::{self, BodyEntry};
use super::browser::Navigation;
use super::referrer::{Distance, Origin};
use bytes::Bytes;
use http::Method;
use scraper::{ElementRef, Html, Selector};
use std::sync::LazyLock;
use url::Url;

mod control;
use control::{Control, ControlKind};

#[expect(
    clippy::expect_used,
    reason = "the selector is a literal, and a test reads it"
)]
pub(super) static SELECTOR: LazyLock<Selector> =
    LazyLock::new(|| Selector::parse("form").expect("a CSS selector"));
#[expect(
    clippy::expect_used,
    reason = "the selector is a literal, and a test reads it"
)]
static CONTROLS: LazyLock<Selector> =
    LazyLock::new(|| Selector::parse("button, input, select, textarea").expect("a CSS selector"));

/// A form, to be filled in and sent with [`Browser::submit`](super::Browser::submit).
///
/// A field has its name on the page, `"title"`, or in the program, `NewNote::TITLE`, where the test can see the form's type.
///
/// It skips the browser's own validation (`required`, `pattern`, `maxlength`), which a server must not rely on.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// # use dewar::testing::{Browser, OtherSiteReply, OtherSite};
/// # let site = OtherSite::open(|asked| match asked.method() {
/// #     "GET" => OtherSiteReply::page("<form method=post enctype=multipart/form-data><input type=hidden \
/// #         name=csrf_token value=abc><input name=title><input type=file name=paper></form>"),
/// #     _ => OtherSiteReply::page(&asked.text()),
/// # }).await;
/// # let visitor = Browser::new(site.url(), site.authority_pem());
/// let form = visitor.get("/new").await.form("/new");
/// assert_eq!(form.value("csrf_token").as_deref(), Some("abc"));
/// let sent = visitor.submit(form.fill("title", "Tea").file("paper", "tea.pdf", "%PDF-1.7")).await;
/// assert!(sent.text().contains(r#"name="paper"; filename="tea.pdf""#));
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a form does nothing until it is submitted"]
pub struct FormOnPage {
    method: Method,
    action: Url,
    multipart: bool,
    controls: Vec<Control>,
    origin: Origin,
}

impl FormOnPage {
    pub(super) fn read(page: &Html, form: ElementRef<'_>, origin: Origin) -> Self {
        let owned = |control: &ElementRef<'_>| match control.attr("form") {
            Some(id) => form.attr("id") == Some(id),
            None => control.ancestors().any(|above| above == *form),
        };
        let controls: Vec<Control> = page
            .select(&CONTROLS)
            .filter(owned)
            .filter_map(Control::read)
            .collect();
        let mut read = Self {
            method: Method::GET,
            action: origin.page.clone(),
            multipart: false,
            controls,
            origin,
        };
        read.directed(
            form.attr("action"),
            form.attr("method"),
            form.attr("enctype"),
        );
        read.press_default();
        read
    }

    /// `GET` or `POST`.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The path that it is sent to, or the full address on another site.
    pub fn action(&self) -> String {
        match Distance::between(&self.origin.page, &self.action) {
            Distance::SameOrigin => self.action.path().to_owned(),
            Distance::SameSite | Distance::CrossSite => self.action.to_string(),
        }
    }

    /// Whether it is sent as `multipart/form-data`.
    pub fn is_multipart(&self) -> bool {
        self.multipart
    }

    /// The names of its controls, in the order of the page.
    pub fn names(&self) -> Vec<&str> {
        self.controls
            .iter()
            .map(|control| control.name.as_str())
            .collect()
    }

    /// The value that it would send under this name.
    pub fn value(&self, name: impl AsRef<str>) -> Option<String> {
        let name = name.as_ref();
        let mut entries = self.controls.iter().flat_map(Control::entries);
        entries.find_map(|entry| match entry {
            BodyEntry::Text { name: its, value } => (its == name).then_some(value),
            BodyEntry::File {
                name: its,
                file_name,
                ..
            } => (its == name).then_some(file_name),
        })
    }

    /// Types into a field and replaces its text.
    ///
    /// # Panics
    /// No field of this name accepts text.
    pub fn fill(self, name: impl AsRef<str>, text: &str) -> Self {
        let name = name.as_ref();
        self.edit(name, "be typed into", |kind| {
            let ControlKind::Text {
                value,
                writable: true,
            } = kind
            else {
                return false;
            };
            text.clone_into(value);
            true
        })
    }

    /// Checks a checkbox.
    ///
    /// # Panics
    /// No checkbox of this name can be checked.
    pub fn check(self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        self.edit(name, "be ticked", |kind| {
            let ControlKind::Box { on, .. } = kind else {
                return false;
            };
            *on = true;
            true
        })
    }

    /// Unchecks a checkbox.
    ///
    /// # Panics
    /// No checkbox of this name can be unchecked.
    pub fn uncheck(self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        self.edit(name, "be cleared", |kind| {
            let ControlKind::Box { on, .. } = kind else {
                return false;
            };
            *on = false;
            true
        })
    }

    /// Chooses a value that the page offers: a radio button, an option, or one of several checkboxes.
    ///
    /// # Panics
    /// The page does not offer this value under this name.
    pub fn choose(mut self, name: impl AsRef<str>, wanted: &str) -> Self {
        let name = name.as_ref();
        let offered = |control: &Control| control.name == name && control.offers(wanted);
        let Some(place) = self.controls.iter().position(offered) else {
            self.missing(name, &format!("be set to `{wanted}`"));
        };
        for (other, control) in self.controls.iter_mut().enumerate() {
            if control.name == name {
                control.choose(wanted, other == place);
            }
        }
        self
    }

    /// Chooses a file, with the content type that a browser derives from its extension.
    ///
    /// # Panics
    /// No field of this name accepts files.
    pub fn file(self, name: impl AsRef<str>, file_name: &str, bytes: impl Into<Bytes>) -> Self {
        let name = name.as_ref();
        self.file_as(name, file_name, body::kind_of(file_name), bytes)
    }

    /// Chooses a file with a false content type. A second file in a field for one replaces the first.
    ///
    /// # Panics
    /// No field of this name accepts files.
    pub fn file_as(
        self,
        name: impl AsRef<str>,
        file_name: &str,
        kind: &str,
        bytes: impl Into<Bytes>,
    ) -> Self {
        let name = name.as_ref();
        let chosen = (file_name.to_owned(), kind.to_owned(), bytes.into());
        self.edit(name, "take a file", |kind| {
            let ControlKind::Files { files, several } = kind else {
                return false;
            };
            if !*several {
                files.clear();
            }
            files.push(chosen);
            true
        })
    }

    /// Submits by the button of this name, value or text, instead of by the first.
    ///
    /// # Panics
    /// The form has no such button.
    pub fn press(mut self, which: &str) -> Self {
        let fits = |control: &Control| {
            let ControlKind::Button { value, label, .. } = &control.kind else {
                return false;
            };
            control.name == which || value == which || label == which
        };
        let Some(place) = self.controls.iter().position(fits) else {
            self.missing(which, "be pressed");
        };
        self.press_at(place);
        self
    }

    /// Forges a value: of a hidden field, one that the page does not offer, or one of a field that the page does not
    /// have.
    pub fn tamper(mut self, name: impl AsRef<str>, value: &str) -> Self {
        let name = name.as_ref();
        let kind = ControlKind::Text {
            value: value.to_owned(),
            writable: true,
        };
        match self
            .controls
            .iter_mut()
            .find(|control| control.name == name)
        {
            Some(control) => control.kind = kind,
            None => self.controls.push(Control {
                name: name.to_owned(),
                kind,
            }),
        }
        self
    }

    /// Sends one more value of this name, besides those of the form.
    pub fn duplicate(mut self, name: impl AsRef<str>, value: &str) -> Self {
        let name = name.as_ref();
        let kind = ControlKind::Text {
            value: value.to_owned(),
            writable: true,
        };
        self.controls.push(Control {
            name: name.to_owned(),
            kind,
        });
        self
    }

    /// Leaves out all controls of this name, for example the CSRF token.
    pub fn without(mut self, name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        self.controls.retain(|control| control.name != name);
        self
    }

    /// The body as the form would send it, with its content type: for requests written by hand.
    pub fn encoded(&self) -> (String, Bytes) {
        let entries: Vec<BodyEntry> = self.controls.iter().flat_map(Control::entries).collect();
        if self.multipart {
            body::multipart(&entries)
        } else {
            (
                "application/x-www-form-urlencoded".to_owned(),
                body::urlencoded(&entries).into(),
            )
        }
    }

    pub(super) fn into_navigation(self) -> Navigation {
        let mut navigation = Navigation::to(self.action.clone(), Some(self.origin.clone()));
        if self.method == Method::POST {
            navigation.body = Some(self.encoded());
            navigation.method = Method::POST;
        } else {
            let entries: Vec<BodyEntry> = self.controls.iter().flat_map(Control::entries).collect();
            navigation.url.set_query(Some(&body::urlencoded(&entries)));
        }
        navigation
    }

    fn edit(
        mut self,
        name: &str,
        able: &str,
        change: impl FnOnce(&mut ControlKind) -> bool,
    ) -> Self {
        let mut change = Some(change);
        for control in self
            .controls
            .iter_mut()
            .filter(|control| control.name == name)
        {
            // Skips a button or a hidden field of the same name.
            if control.is_for_people()
                && change
                    .take()
                    .is_some_and(|change| change(&mut control.kind))
            {
                return self;
            }
        }
        self.missing(name, able)
    }

    fn missing(&self, name: &str, able: &str) -> ! {
        panic!(
            "nothing named `{name}` can {able} in the form {} on {}; it has {:?}",
            self.action(),
            self.origin.page,
            self.names()
        )
    }

    /// The Enter key in a field presses the form's first button (HTML Standard, "implicit submission").
    fn press_default(&mut self) {
        let button = |control: &Control| matches!(control.kind, ControlKind::Button { .. });
        if let Some(place) = self.controls.iter().position(button) {
            self.press_at(place);
        }
    }

    fn press_at(&mut self, place: usize) {
        let mut overrides = None;
        for (other, control) in self.controls.iter_mut().enumerate() {
            if let ControlKind::Button {
                pressed,
                action,
                method,
                ..
            } = &mut control.kind
            {
                *pressed = other == place;
                if *pressed {
                    overrides = Some((action.clone(), method.clone()));
                }
            }
        }
        if let Some((action, method)) = overrides {
            self.directed(action.as_deref(), method.as_deref(), None);
        }
    }

    fn directed(&mut self, action: Option<&str>, method: Option<&str>, enctype: Option<&str>) {
        if let Some(action) = action.filter(|action| !action.is_empty()) {
            match self.origin.page.join(action) {
                Ok(url) => self.action = url,
                Err(problem) => panic!("the form's action `{action}` is not an address: {problem}"),
            }
        }
        if let Some(method) = method {
            let post = method.eq_ignore_ascii_case("post");
            self.method = if post { Method::POST } else { Method::GET };
        }
        if let Some(enctype) = enctype {
            self.multipart = enctype.eq_ignore_ascii_case("multipart/form-data");
        }
    }
}
