use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, Result};

use crate::{attributes, variants, words};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let variants = variants::of(input, "roles")?;
    let mut administrator = None;
    let (mut names, mut labels) = (Vec::new(), Vec::new());
    for variant in &variants {
        let spelled = variant.ident.to_string();
        let mut label = words::sentence(&spelled);
        attributes::each(&variant.attrs, "role", |meta| {
            if meta.path.is_ident("label") {
                label = attributes::text(meta)?.value();
                Ok(())
            } else if meta.path.is_ident("administrator") {
                match administrator.replace(&variant.ident) {
                    None => Ok(()),
                    Some(first) => Err(meta.error(format!(
                        "`{first}` is already the administrator; a second one is not possible"
                    ))),
                }
            } else {
                Err(attributes::unknown(meta, "administrator, label = \"…\""))
            }
        })?;
        names.push(words::snake(&spelled));
        labels.push(label);
    }
    let administrator = administrator.ok_or_else(|| {
        Error::new_spanned(
            name,
            "one role needs `#[role(administrator)]`: the first user gets it",
        )
    })?;
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    Ok(quote! {
        #[automatically_derived]
        impl ::dewar::roles::Role for #name {
            const ALL: &'static [Self] = &[#(Self::#idents),*];
            fn name(self) -> &'static str {
                match self { #(Self::#idents => #names),* }
            }
            fn label(self) -> &'static str {
                match self { #(Self::#idents => #labels),* }
            }
            fn administrator() -> Self {
                Self::#administrator
            }
        }
    })
}
