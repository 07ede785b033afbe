use std::borrow::Cow;

use rust_embed::RustEmbed;

/// Files that are part of the program: templates or static files.
///
/// In a release build they are inside the binary. A debug build reads them from the source folder, so a change needs no
/// build.
///
/// ```
/// use dewar::pages::Bundle;
/// #[derive(rust_embed::RustEmbed)]
/// #[folder = "templates"]
/// struct Templates;
/// assert!(Bundle::of::<Templates>().read("layout.html").is_some());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Bundle {
    read: fn(&str) -> Option<Cow<'static, [u8]>>,
    names: fn() -> Vec<Cow<'static, str>>,
}

impl Bundle {
    /// The files of an embedded folder.
    #[must_use]
    pub fn of<Folder: RustEmbed>() -> Self {
        Self {
            read: |name| Folder::get(name).map(|file| file.data),
            names: || Folder::iter().collect(),
        }
    }

    /// Files inside the program, without a source folder.
    #[cfg(test)]
    pub(crate) const fn inside(
        read: fn(&str) -> Option<Cow<'static, [u8]>>,
        names: fn() -> Vec<Cow<'static, str>>,
    ) -> Self {
        Self { read, names }
    }

    /// A file's content.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<Cow<'static, [u8]>> {
        (self.read)(name)
    }

    /// The names of all files.
    #[must_use]
    pub fn names(&self) -> Vec<Cow<'static, str>> {
        (self.names)()
    }
}
