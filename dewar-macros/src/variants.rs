use syn::{Data, DeriveInput, Error, Fields, Result, Variant};

/// The variants of an enum without fields.
pub(crate) fn of<'a>(input: &'a DeriveInput, what: &str) -> Result<Vec<&'a Variant>> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(
            &input.ident,
            format!("{what} are the variants of an enum"),
        ));
    };
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            format!("{what} are an enum without parameters"),
        ));
    }
    if data.variants.is_empty() {
        return Err(Error::new_spanned(
            &input.ident,
            "an enum without variants has no choices",
        ));
    }
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            return Err(Error::new_spanned(
                variant,
                format!("{what} are variants without fields"),
            ));
        }
    }
    Ok(data.variants.iter().collect())
}
