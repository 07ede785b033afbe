use rust_embed::RustEmbed;

use crate::pages::Bundle;

/// The pages that the framework shows unless the application brings its own.
#[derive(RustEmbed)]
#[folder = "templates"]
struct Templates;

/// The style sheet of those pages.
#[derive(RustEmbed)]
#[folder = "static"]
struct Static;

pub(crate) fn bundled() -> Bundle {
    Bundle::of::<Templates>()
}

pub(super) fn bundled_static() -> Bundle {
    Bundle::of::<Static>()
}
