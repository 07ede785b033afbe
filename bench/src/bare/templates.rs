//! The portal's templates and static files, and hand-written versions of the functions that the templates call.

use std::collections::HashMap;
use std::sync::LazyLock;

use bytes::Bytes;
use dewar::pages::{Assets, Bundle};
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value};
use rust_embed::RustEmbed;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;
use unic_langid::LanguageIdentifier;

use crate::Result;
use crate::world::NAME;

#[derive(RustEmbed)]
#[folder = "../portal/templates"]
struct Templates;

#[derive(RustEmbed)]
#[folder = "../portal/static"]
struct Files;

/// The framework's templates, which the portal's use.
#[derive(RustEmbed)]
#[folder = "../dewar/templates"]
struct Shared;

/// The portal's templates and those that they import, for another engine.
pub(crate) fn bundles() -> [Bundle; 2] {
    [Bundle::of::<Shared>(), Bundle::of::<Templates>()]
}

/// The texts of the templates: the portal's English, by the same library.
pub(super) fn words() -> Value {
    Value::from_function(|id: &str, named: Kwargs| {
        say(id, &named).ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no such message"))
    })
}

const WORDS: [&str; 2] = [
    include_str!("../../../dewar/locales/en/dewar.ftl"),
    include_str!("../../../portal/locales/en/portal.ftl"),
];

static ENGLISH: LazyLock<FluentBundle<FluentResource>> = LazyLock::new(|| {
    let mut bundle = FluentBundle::new_concurrent(vec![langid()]);
    bundle.set_use_isolating(false);
    for text in WORDS {
        match FluentResource::try_new(text.to_owned()) {
            Ok(resource) | Err((resource, _)) => bundle.add_resource_overriding(resource),
        }
    }
    bundle
});

fn langid() -> LanguageIdentifier {
    "en".parse().unwrap_or_default()
}

fn say(id: &str, named: &Kwargs) -> Option<String> {
    let mut arguments = FluentArgs::new();
    for name in named.args() {
        let value: Value = named.get(name).ok()?;
        let argument = i64::try_from(value.clone()).map(FluentValue::from);
        arguments.set(
            name.to_owned(),
            argument.unwrap_or_else(|_| FluentValue::from(value.to_string())),
        );
    }
    let pattern = match id.split_once('.') {
        Some((id, attribute)) => {
            let message = ENGLISH.get_message(id)?;
            message.get_attribute(attribute)?.value()
        }
        None => ENGLISH.get_message(id)?.value()?,
    };
    let mut errors = Vec::new();
    let said = ENGLISH.format_pattern(pattern, Some(&arguments), &mut errors);
    errors.is_empty().then(|| said.into_owned())
}

pub(crate) fn assets() -> Assets {
    Assets::load(&[Bundle::of::<Files>()])
}

/// The user who is always signed in, for the layout.
#[derive(Debug, Serialize)]
pub(super) struct User {
    name: &'static str,
    roles: [&'static str; 1],
}

impl User {
    pub(super) const ADA: Self = Self {
        name: NAME,
        roles: ["member"],
    };
}

/// A stand-in for the token, of the same length, so that both pages have the same length.
#[expect(
    clippy::disallowed_methods,
    reason = "the bare peer believes its own texts, as hand-written servers do"
)]
pub(super) fn token_field() -> Value {
    Value::from_safe_string(TOKEN_FIELD.to_owned())
}

const TOKEN_FIELD: &str = "<input type=\"hidden\" name=\"csrf_token\" \
    value=\"00000000000000000000000000000000000000000000000000000000000000000000000000000000000000\">";

/// Static files by the names that the portal gives them.
#[derive(Debug)]
pub(super) struct Static {
    addresses: HashMap<String, String>,
    files: HashMap<String, (&'static str, Bytes)>,
}

impl Static {
    pub(super) fn load() -> Self {
        let assets = assets();
        let (mut addresses, mut files) = (HashMap::new(), HashMap::new());
        for name in Files::iter() {
            let (Some(address), Some(file)) = (assets.address(&name), Files::get(&name)) else {
                continue;
            };
            let kind = if name.ends_with(".css") {
                "text/css; charset=utf-8"
            } else {
                "image/svg+xml; charset=utf-8"
            };
            let asked = address.trim_start_matches("/static/").to_owned();
            files.insert(asked, (kind, Bytes::from(file.data.into_owned())));
            addresses.insert(name.into_owned(), address);
        }
        Self { addresses, files }
    }

    pub(super) fn addresses(&self) -> HashMap<String, String> {
        self.addresses.clone()
    }

    pub(super) fn file(&self, name: &str) -> Option<(&'static str, Bytes)> {
        self.files.get(name).cloned()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bare peer believes its own texts, as hand-written servers do"
)]
pub(super) fn load(addresses: HashMap<String, String>) -> Result<Environment<'static>> {
    let mut engine = Environment::new();
    let parts = Shared::get("dewar/parts.html").ok_or("a template is gone")?;
    engine.add_template_owned(
        "dewar/parts.html",
        String::from_utf8(parts.data.into_owned())?,
    )?;
    for name in Templates::iter() {
        let file = Templates::get(&name).ok_or("a template is gone")?;
        engine.add_template_owned(
            name.into_owned(),
            String::from_utf8(file.data.into_owned())?,
        )?;
    }
    engine.add_filter("date", |at: i64| moment(at, DATE));
    engine.add_filter("datetime", |at: i64| moment(at, DATE_AND_TIME));
    engine.add_filter("iso", |at: i64| moment(at, ISO));
    engine.add_filter("filesize", filesize);
    let hashes = assets();
    engine.add_function("mounted", |_: &str| true);
    engine.add_function("integrity", move |name: &str| {
        let hash = hashes.integrity(name).map(Value::from_safe_string);
        hash.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no such static file"))
    });
    engine.add_function("static", move |name: &str| {
        // Safe, as in the portal: an address is a name and a hash.
        let found = addresses.get(name).cloned().map(Value::from_safe_string);
        found.ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "no such static file"))
    });
    Ok(engine)
}

const DATE: StaticFormatDescription =
    format_description!("[day padding:none] [month repr:long] [year]");
const DATE_AND_TIME: StaticFormatDescription =
    format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
const ISO: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

fn moment(at: i64, style: StaticFormatDescription) -> Result<String, Error> {
    OffsetDateTime::from_unix_timestamp(at)
        .ok()
        .and_then(|at| at.format(style).ok())
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "not a moment"))
}

fn filesize(bytes: u64) -> String {
    let (mut size, mut tenth, mut unit) = (bytes, 0, "bytes");
    for larger in ["KiB", "MiB", "GiB"] {
        if size < 1024 {
            break;
        }
        (size, tenth, unit) = (size / 1024, size % 1024 * 10 / 1024, larger);
    }
    if unit == "bytes" || size >= 100 {
        format!("{size} {unit}")
    } else {
        format!("{size}.{tenth} {unit}")
    }
}
