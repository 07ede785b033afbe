use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Result};

use crate::{attributes, variants, words};

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let variants = variants::of(input, "choices")?;
    let mut offers = Vec::new();
    for variant in &variants {
        let spelled = variant.ident.to_string();
        let mut label = words::sentence(&spelled);
        attributes::each(&variant.attrs, "choice", |meta| {
            if !meta.path.is_ident("label") {
                return Err(attributes::unknown(meta, "label = \"…\""));
            }
            label = attributes::text(meta)?.value();
            Ok(())
        })?;
        let value = words::snake(&spelled);
        offers.push(quote!(::dewar::forms::Offer::new(#value, #label)));
    }
    let idents: Vec<_> = variants.iter().map(|variant| &variant.ident).collect();
    let places = 0..idents.len();
    let kebab = words::kebab(&name.to_string());
    Ok(quote! {
        #[automatically_derived]
        impl ::dewar::forms::Choices for #name {
            const NAME: &'static str = #kebab;
            const ALL: &'static [Self] = &[#(Self::#idents),*];
            const OFFERS: &'static [::dewar::forms::Offer] = &[#(#offers),*];
            fn place(self) -> usize {
                match self { #(Self::#idents => #places),* }
            }
        }
    })
}
