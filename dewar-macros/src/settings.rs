use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Error, Expr, ExprArray, ExprLit, ExprUnary, Field, Fields, Ident, Lit,
    LitStr, Meta, Result, UnOp,
};

use crate::attributes;

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = fields_of(input)?;
    let section = section_of(input)?;
    let name = &input.ident;
    // A name of ours that no field can hide.
    let from = Ident::new("from", Span::mixed_site());
    let (mut reads, mut idents, mut checks) = (Vec::new(), Vec::new(), Vec::new());
    for field in fields {
        let Some(ident) = &field.ident else { continue };
        let ty = &field.ty;
        let Declared { setting, bounded } = declared(field)?;
        reads.push(quote_spanned! {ty.span()=>
            let #ident = <#ty as ::dewar::audit::SettingField>::read(#from, &#setting);
        });
        if let Some(span) = bounded {
            checks.push(quote_spanned! {span=>
                const _: fn() = || {
                    fn has_bounds<T: ::dewar::audit::BoundedValue>() {}
                    has_bounds::<#ty>();
                };
            });
        }
        idents.push(ident);
    }
    Ok(quote! {
        #[automatically_derived]
        impl ::dewar::audit::SettingsSection for #name {
            const SECTION: &'static str = #section;
            fn read(#from: &::dewar::audit::Section<'_>) -> ::core::option::Option<Self> {
                // All settings are read before the first one is used, so every mistake is reported at once.
                #(#reads)*
                ::core::option::Option::Some(Self { #(#idents: #idents?),* })
            }
        }
        #(#checks)*
    })
}

fn fields_of(input: &DeriveInput) -> Result<impl Iterator<Item = &Field>> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "settings have no type parameters",
        ));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(named) if !named.named.is_empty() => Ok(named.named.iter()),
            Fields::Named(_) | Fields::Unnamed(_) | Fields::Unit => Err(Error::new_spanned(
                &input.ident,
                "settings are a struct with named fields, each of them a setting: `struct Helpdesk { answer_within: Duration }`",
            )),
        },
        Data::Enum(_) | Data::Union(_) => Err(Error::new_spanned(
            &input.ident,
            "settings are a struct; an enum can be one of its fields: `#[derive(Choices)]` on the enum",
        )),
    }
}

/// `#[settings(section = "helpdesk")]`.
fn section_of(input: &DeriveInput) -> Result<LitStr> {
    let mut section = None;
    attributes::each(&input.attrs, "settings", |meta| {
        if !meta.path.is_ident("section") {
            return Err(attributes::unknown(meta, "section = \"…\""));
        }
        section = Some(attributes::text(meta)?);
        Ok(())
    })?;
    let section = section.ok_or_else(|| {
        Error::new_spanned(
            &input.ident,
            "name the section of dewar.toml: `#[settings(section = \"helpdesk\")]`",
        )
    })?;
    if !is_plain(&section.value()) {
        return Err(Error::new(
            section.span(),
            "a section's name has small letters, digits and single `_`, begins with a letter, and has at most 40 characters",
        ));
    }
    Ok(section)
}

fn is_plain(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    name.len() <= 40
        && name.chars().all(fits)
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('_')
        && !name.contains("__")
}

struct Declared {
    setting: TokenStream,
    /// The place of `min` or `max`, if the field has one.
    bounded: Option<Span>,
}

fn declared(field: &Field) -> Result<Declared> {
    let Some(ident) = &field.ident else {
        return Err(Error::new_spanned(field, "a setting needs a name"));
    };
    let spelled = ident.to_string();
    let name = spelled.strip_prefix("r#").unwrap_or(&spelled);
    if !is_plain(name) {
        return Err(Error::new(
            ident.span(),
            "a setting's name has small letters, digits and single `_`, begins with a letter, and has at most 40 characters",
        ));
    }
    let help = help_of(field);
    let mut setting = quote!(::dewar::audit::DeclaredSetting::new(#name).help(#help));
    let mut bounded = None;
    attributes::each(&field.attrs, "setting", |meta| {
        let entry = meta.path.get_ident().map(ToString::to_string);
        match entry.as_deref() {
            Some("default") => setting.extend(default(&meta.value()?.parse()?)?),
            Some(bound @ ("min" | "max")) => {
                let text = text_of(&meta.value()?.parse()?)?;
                let method = Ident::new(bound, meta.path.span());
                bounded = Some(field.ty.span());
                setting.extend(quote!(.#method(#text)));
            }
            _ => {
                return Err(attributes::unknown(
                    meta,
                    "default = \"…\", min = \"…\", max = \"…\"",
                ));
            }
        }
        Ok(())
    })?;
    Ok(Declared { setting, bounded })
}

/// A value, or a list of values.
fn default(value: &Expr) -> Result<TokenStream> {
    let Expr::Array(ExprArray { elems, .. }) = value else {
        let text = text_of(value)?;
        return Ok(quote!(.default(#text)));
    };
    let texts: Vec<String> = elems.iter().map(text_of).collect::<Result<_>>()?;
    Ok(quote!(.default_list(&[#(#texts),*])))
}

/// A value as the operator would write it in the environment: `"5m"`, `5`, `-5`, `true`.
fn text_of(value: &Expr) -> Result<String> {
    let wrong = || {
        Error::new_spanned(
            value,
            "write the value as the operator would: \"5m\", \"10MiB\", 5, true, or a list such as [\"a\", \"b\"]",
        )
    };
    if let Expr::Unary(ExprUnary {
        op: UnOp::Neg(_),
        expr,
        ..
    }) = value
    {
        return Ok(format!("-{}", text_of(expr)?));
    }
    let Expr::Lit(ExprLit { lit, .. }) = value else {
        return Err(wrong());
    };
    if let Lit::Str(text) = lit {
        Ok(text.value())
    } else if let Lit::Int(number) = lit {
        Ok(number.base10_digits().to_owned())
    } else if let Lit::Bool(flag) = lit {
        Ok(flag.value.to_string())
    } else {
        Err(wrong())
    }
}

/// The comment of the field, in one line: the help for the operator.
fn help_of(field: &Field) -> String {
    let lines = field.attrs.iter().filter_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        let Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) = &pair.value
        else {
            return None;
        };
        pair.path.is_ident("doc").then(|| text.value())
    });
    let words: Vec<String> = lines
        .flat_map(|line| {
            let words = line.split_whitespace().map(str::to_owned);
            words.collect::<Vec<_>>()
        })
        .collect();
    words.join(" ")
}
