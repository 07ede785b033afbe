use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, LitInt, LitStr, Result};

use crate::attributes;

/// What the attribute says.
struct LetterAttribute {
    template: LitStr,
    valid_minutes: Option<u64>,
    list: Option<LitStr>,
}

impl LetterAttribute {
    fn read(input: &DeriveInput) -> Result<Self> {
        let (mut template, mut valid_minutes): (Option<LitStr>, Option<u64>) = (None, None);
        let mut list = None;
        attributes::each(&input.attrs, "letter", |meta| {
            if meta.path.is_ident("template") {
                template = Some(attributes::text(meta)?);
                Ok(())
            } else if meta.path.is_ident("valid_minutes") {
                valid_minutes = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
                Ok(())
            } else if meta.path.is_ident("list") {
                list = Some(name_of_list(attributes::text(meta)?)?);
                Ok(())
            } else {
                let known = "template = \"letters/…\", valid_minutes = 60, list = \"news\"";
                Err(attributes::unknown(meta, known))
            }
        })?;
        let template = template.ok_or_else(|| {
            let text = "a letter names its template: `#[letter(template = \"letters/…\")]`";
            Error::new_spanned(&input.ident, text)
        })?;
        let path = template.value();
        if !path.starts_with("letters/") || path.ends_with(".txt") || path.ends_with(".html") {
            let text = "the template of a letter is in the folder `letters`, and is named without `.txt` or `.html`";
            return Err(Error::new_spanned(&template, text));
        }
        Ok(Self {
            template,
            valid_minutes,
            list,
        })
    }
}

/// The name of a list is in links, in the database and in ids of messages.
fn name_of_list(list: LitStr) -> Result<LitStr> {
    let name = list.value();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if (1..=40).contains(&name.len()) && name.chars().all(is_plain) {
        return Ok(list);
    }
    let text =
        "a list has a name of 1 to 40 lower-case letters, digits and hyphens, such as \"news\"";
    Err(Error::new_spanned(&list, text))
}

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let LetterAttribute {
        template,
        valid_minutes,
        list,
    } = LetterAttribute::read(input)?;
    let Data::Struct(data) = &input.data else {
        return Err(Error::new_spanned(name, "a letter is a struct"));
    };
    let fields: Vec<_> = match &data.fields {
        Fields::Named(named) => named
            .named
            .iter()
            .filter_map(|field| field.ident.as_ref())
            .collect(),
        Fields::Unit => Vec::new(),
        Fields::Unnamed(unnamed) => {
            return Err(Error::new_spanned(
                unnamed,
                "the template of a letter needs a name for each value",
            ));
        }
    };
    let names: Vec<_> = fields.iter().map(ToString::to_string).collect();
    let (generics, arguments, bounds) = input.generics.split_for_impl();
    let valid = valid_minutes.map(|minutes| {
        let seconds = minutes.saturating_mul(60);
        quote! {
            const VALID_FOR: ::core::option::Option<::core::time::Duration> =
                ::core::option::Option::Some(::core::time::Duration::from_secs(#seconds));
        }
    });
    let list = list.map(|list| {
        quote! {
            const LIST: ::core::option::Option<&'static str> = ::core::option::Option::Some(#list);
        }
    });
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::dewar::mail::Letter for #name #arguments #bounds {
            const TEMPLATE: &'static str = #template;
            const FIELDS: &'static [&'static str] = &[#(#names),*];
            #valid
            #list
            fn fill(&self, page: ::dewar::Page) -> ::dewar::Page {
                page #(.with(#names, &self.#fields))*
            }
        }
    })
}
