use rust_embed::RustEmbed;

use crate::pages::Bundle;

/// The framework's pages; an application's page of the same name replaces one.
#[derive(RustEmbed)]
#[folder = "templates"]
struct FrameworkTemplates;

/// The style sheet of the framework's pages.
#[derive(RustEmbed)]
#[folder = "static"]
struct FrameworkStatic;

pub(crate) fn bundled() -> Bundle {
    Bundle::of::<FrameworkTemplates>()
}

pub(super) fn bundled_static() -> Bundle {
    Bundle::of::<FrameworkStatic>()
}
