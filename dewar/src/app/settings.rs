//! Settings of the application's own: `App::settings` reads them, and handlers take them.

use std::any::TypeId;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;

use super::{Dewar, RouteTable};
use crate::audit::{Finding, Practice, SettingsSection};
use crate::forms::{Described, FromParts, HandlerInput};
use crate::pages::{Error, RequestContext, Sealed};

/// The settings of the application, which [`App::settings`](crate::App::settings) reads.
///
/// `T` is a struct with `#[derive(Settings)]`. A handler takes this as an argument; a command and other code call
/// [`Dewar::settings`].
///
/// ```
/// use dewar::{App, Settings, get, pages::Text};
/// use std::time::Duration;
/// #[derive(Settings)]
/// #[settings(section = "helpdesk")]
/// struct HelpdeskSettings {
///     /// How long a ticket may wait for its first answer.
///     #[setting(default = "4h", min = "1m", max = "7d")]
///     answer_within: Duration,
/// }
/// async fn promise(settings: Settings<HelpdeskSettings>) -> Text {
///     Text::new(format!("We answer within {} minutes.", settings.answer_within.as_secs() / 60))
/// }
/// fn app(app: App) -> App { app.settings::<HelpdeskSettings>().public([get("/promise", promise)]) }
/// # let app = app(App::in_directory(std::env::temp_dir())?);
/// # Ok::<(), dewar::Error>(())
/// ```
pub struct Settings<T>(Arc<T>);

impl<T> Settings<T> {
    pub(super) fn new(values: T) -> Self {
        Self(Arc::new(values))
    }
}

impl<T> Clone for Settings<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for Settings<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Settings<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the values: they end up in logs, and not every secret has the type of one.
        f.debug_struct("Settings").finish_non_exhaustive()
    }
}

impl<T: SettingsSection, S: Sync> FromRequestParts<S> for Settings<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        RequestContext::of(parts)?.service::<Dewar>()?.settings()
    }
}

impl<T: SettingsSection> HandlerInput for Settings<T> {
    fn describe(route: &mut Described, _: Sealed) {
        route.take_settings(T::SECTION, TypeId::of::<T>());
    }
}

impl<T: SettingsSection> FromParts for Settings<T> {}

/// The settings of this type among those that the application reads.
pub(super) fn find<T: SettingsSection>(read: &http::Extensions) -> Result<Settings<T>, Error> {
    read.get::<Settings<T>>().cloned().ok_or_else(|| {
        Error::internal(format!(
            "the settings [{}] are not read: call `app.settings::<…>()`",
            T::SECTION
        ))
    })
}

/// The findings about handlers whose settings the application does not read.
pub(super) fn unread(table: &RouteTable, read: &[TypeId]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for entry in table.entries() {
        for (section, id) in entry.takes.settings_by_type() {
            if read.contains(&id) {
                continue;
            }
            let title = format!(
                "{} {} takes the settings [{section}], which the application does not read",
                entry.method, entry.path
            );
            findings.push(
                Finding::refuse(Practice::Audit, "settings-unread", title)
                    .why("Its handler would respond to every request with 500.")
                    .fix("Read them where the application is built: `app.settings::<…>()`."),
            );
        }
    }
    findings
}
