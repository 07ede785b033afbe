use rust_embed::RustEmbed;

use crate::pages::Bundle;

/// The pages that the framework shows unless the application brings its own.
#[derive(RustEmbed)]
#[folder = "templates"]
struct FrameworkTemplates;

/// The style sheet of those pages.
#[derive(RustEmbed)]
#[folder = "static"]
struct FrameworkStatic;

pub(crate) fn bundled() -> Bundle {
    Bundle::of::<FrameworkTemplates>()
}

pub(super) fn bundled_static() -> Bundle {
    Bundle::of::<FrameworkStatic>()
}
