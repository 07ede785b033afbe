use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Path, Result};

use crate::{attributes, variants, words};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let variants = variants::of(input, "scopes")?;
    let (mut names, mut labels, mut roles) = (Vec::new(), Vec::new(), Vec::new());
    for variant in &variants {
        let spelled = variant.ident.to_string();
        let mut label = words::sentence(&spelled);
        let mut role = quote!(::core::option::Option::None);
        attributes::each(&variant.attrs, "scope", |meta| {
            if meta.path.is_ident("label") {
                label = attributes::text(meta)?.value();
                Ok(())
            } else if meta.path.is_ident("role") {
                // A path, so that the compiler knows the role: a text could name one that does not exist.
                let path: Path = meta.value()?.parse()?;
                role = quote!(::core::option::Option::Some(::dewar::roles::Role::name(#path)));
                Ok(())
            } else {
                Err(attributes::unknown(
                    meta,
                    "label = \"…\", role = Staff::Reviewer",
                ))
            }
        })?;
        names.push(words::snake(&spelled));
        labels.push(label);
        roles.push(role);
    }
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let kebab = words::kebab(&name.to_string());
    Ok(quote! {
        #[automatically_derived]
        impl ::dewar::api::ApiScope for #name {
            const NAME: &'static str = #kebab;
            const ALL: &'static [Self] = &[#(Self::#idents),*];
            fn name(self) -> &'static str {
                match self { #(Self::#idents => #names),* }
            }
            fn label(self) -> &'static str {
                match self { #(Self::#idents => #labels),* }
            }
            fn role(self) -> ::core::option::Option<&'static str> {
                match self { #(Self::#idents => #roles),* }
            }
        }
    })
}
