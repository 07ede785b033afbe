use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, LitStr, Result};

/// Reads every `#[name(…)]` of a list, entry by entry.
pub(crate) fn each(
    attributes: &[Attribute],
    name: &str,
    mut entry: impl FnMut(&ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    for attribute in attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident(name))
    {
        attribute.parse_nested_meta(|meta| entry(&meta))?;
    }
    Ok(())
}

/// `label = "…"`.
pub(crate) fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    meta.value()?.parse()
}

/// The message for an unknown entry.
pub(crate) fn unknown(meta: &ParseNestedMeta<'_>, known: &str) -> Error {
    let name = meta
        .path
        .get_ident()
        .map_or_else(|| "this".to_owned(), |name| format!("`{name}`"));
    meta.error(format!("{name} is unknown; known are: {known}"))
}
