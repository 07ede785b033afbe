use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, Fields, Ident, LitStr, Result};

use crate::attributes;

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let template = template_of(input)?;
    let (mut described, mut given) = (Vec::new(), Vec::new());
    for field in fields_of(input)? {
        let Some(ident) = &field.ident else { continue };
        let ty = &field.ty;
        let spelled = plain(ident);
        if is_untyped(field)? {
            described.push(quote!(page.add_untyped(#spelled);));
            given.push(quote!(let page = page.with(#spelled, self.#ident);));
        } else {
            described.push(quote_spanned!(ty.span()=> page.add::<#ty>(#spelled);));
            given.push(quote_spanned! {ty.span()=>
                let page = ::dewar::pages::PageValue::give(self.#ident, page, #spelled);
            });
        }
    }
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::dewar::pages::PageData for #name #arguments #bounds {
            const TEMPLATE: &'static str = #template;
            fn describe(page: &mut ::dewar::pages::PageValues) {
                let _ = &page;
                #(#described)*
            }
            fn into_page(self) -> ::dewar::Page {
                let page = ::dewar::Page::new(#template);
                #(#given)*
                page
            }
        }
        #[automatically_derived]
        impl #generics ::core::convert::From<#name #arguments> for ::dewar::Page #bounds {
            fn from(values: #name #arguments) -> Self {
                ::dewar::pages::PageData::into_page(values)
            }
        }
    })
}

fn template_of(input: &DeriveInput) -> Result<LitStr> {
    let mut template = None;
    attributes::each(&input.attrs, "page", |meta| {
        if meta.path.is_ident("template") {
            template = Some(attributes::text(meta)?);
            Ok(())
        } else {
            Err(attributes::unknown(meta, "template = \"notes/show.html\""))
        }
    })?;
    template.ok_or_else(|| {
        let text = "a page names its template: `#[page(template = \"notes/show.html\")]`";
        Error::new_spanned(&input.ident, text)
    })
}

fn fields_of(input: &DeriveInput) -> Result<Vec<&Field>> {
    let text = "a page is a struct with named fields, one for each value of its template";
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(named) => Ok(named.named.iter().collect()),
            Fields::Unit => Ok(Vec::new()),
            Fields::Unnamed(_) => Err(Error::new_spanned(&input.ident, text)),
        },
        Data::Enum(_) | Data::Union(_) => Err(Error::new_spanned(&input.ident, text)),
    }
}

/// `#[page(untyped)]`: Dewar does not know the parts of the value.
fn is_untyped(field: &Field) -> Result<bool> {
    let mut untyped = false;
    attributes::each(&field.attrs, "page", |meta| {
        if meta.path.is_ident("untyped") {
            untyped = true;
            Ok(())
        } else {
            Err(attributes::unknown(meta, "untyped"))
        }
    })?;
    Ok(untyped)
}

fn plain(ident: &Ident) -> String {
    let spelled = ident.to_string();
    spelled
        .strip_prefix("r#")
        .map_or(spelled.clone(), str::to_owned)
}
