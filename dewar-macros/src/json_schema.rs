use proc_macro2::TokenStream;
use quote::quote;
use syn::meta::ParseNestedMeta;
use syn::{
    Attribute, Data, DeriveInput, Error, Expr, ExprLit, Field, Fields, Ident, Lit, Meta, Result,
    Type, Variant,
};

use crate::attributes;
use crate::letter_case::LetterCase;

/// What serde's attributes of a type say about its JSON.
#[derive(Default)]
struct Container {
    rename_all: Option<LetterCase>,
    rename_all_fields: Option<LetterCase>,
    rename: Option<String>,
    tag: Option<String>,
    transparent: bool,
    untagged: bool,
}

/// What serde's attributes of a field or a variant say.
#[derive(Default)]
struct Member {
    rename: Option<String>,
    rename_all: Option<LetterCase>,
    flatten: bool,
    is_skipped: bool,
    may_be_absent: bool,
}

const UNSEEN: &str = "`JsonSchema` cannot see what this attribute of serde writes: implement `dewar::pages::JsonSchema` \
     by hand, in about five lines; its documentation has an example";

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let container = container(&input.attrs)?;
    let described = description(&input.attrs);
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter
            .bounds
            .push(syn::parse_quote!(::dewar::pages::JsonSchema));
    }
    let schema = match &input.data {
        Data::Struct(data) => of_struct(&container, &data.fields)?,
        Data::Enum(data) => of_enum(&container, data.variants.iter())?,
        Data::Union(_) => {
            return Err(Error::new_spanned(&input.ident, "a union has no JSON"));
        }
    };
    let name = &input.ident;
    let spelled = container.rename.unwrap_or_else(|| plain(name));
    let (implemented, of, bounds) = generics.split_for_impl();
    Ok(quote! {
        #[automatically_derived]
        impl #implemented ::dewar::pages::JsonSchema for #name #of #bounds {
            fn schema(schemas: &mut ::dewar::pages::Schemas) -> ::dewar::pages::JsonValue {
                schemas.define::<Self>(#spelled, |schemas| {
                    let _ = &schemas;
                    ::dewar::pages::described(#schema, #described)
                })
            }
        }
    })
}

fn of_struct(container: &Container, fields: &Fields) -> Result<TokenStream> {
    match fields {
        Fields::Named(named) if !container.transparent => {
            object(named.named.iter(), container.rename_all, None)
        }
        Fields::Unnamed(unnamed) if unnamed.unnamed.len() != 1 => Ok(tuple(fields)),
        Fields::Named(_) | Fields::Unnamed(_) => {
            let mut kept = Vec::new();
            for field in fields {
                if !member(&field.attrs)?.is_skipped {
                    kept.push(&field.ty);
                }
            }
            match kept.as_slice() {
                [ty] => Ok(of_type(ty)),
                _ => Err(Error::new_spanned(
                    fields,
                    "a transparent struct has exactly one field that is not skipped",
                )),
            }
        }
        Fields::Unit => Ok(quote!(::dewar::pages::json!({ "type": "null" }))),
    }
}

fn of_enum<'a>(
    container: &Container,
    variants: impl Iterator<Item = &'a Variant>,
) -> Result<TokenStream> {
    let (mut words, mut others) = (Vec::new(), Vec::new());
    for variant in variants {
        let found = member(&variant.attrs)?;
        if found.is_skipped {
            continue;
        }
        let spelled = plain(&variant.ident);
        let name = found.rename.clone().unwrap_or_else(|| {
            let case = container.rename_all;
            case.map_or(spelled.clone(), |case| case.of_variant(&spelled))
        });
        let is_word = matches!(variant.fields, Fields::Unit);
        if is_word && container.tag.is_none() && !container.untagged {
            words.push(name);
        } else {
            others.push(of_variant(container, &found, &name, &variant.fields)?);
        }
    }
    let of_words = quote!(::dewar::pages::json!({ "type": "string", "enum": [#(#words),*] }));
    if others.is_empty() {
        return Ok(of_words);
    }
    if !words.is_empty() {
        others.insert(0, of_words);
    }
    let one = if container.untagged { "anyOf" } else { "oneOf" };
    Ok(quote!(::dewar::pages::json!({ #one: [#(#others),*] })))
}

fn of_variant(
    container: &Container,
    found: &Member,
    name: &str,
    fields: &Fields,
) -> Result<TokenStream> {
    let case = found.rename_all.or(container.rename_all_fields);
    let inner = match fields {
        Fields::Named(named) => {
            let tag = container.tag.as_deref().map(|tag| (tag, name));
            let inner = object(named.named.iter(), case, tag)?;
            if tag.is_some() || container.untagged {
                return Ok(inner);
            }
            inner
        }
        Fields::Unit => match &container.tag {
            Some(tag) => return object(std::iter::empty(), None, Some((tag, name))),
            None => return Ok(quote!(::dewar::pages::json!({ "type": "null" }))),
        },
        Fields::Unnamed(unnamed) => {
            if container.tag.is_some() {
                return Err(Error::new_spanned(
                    unnamed,
                    "a variant with a tag inside needs named fields: `Paid { at: i64 }`",
                ));
            }
            let mut types = unnamed.unnamed.iter().map(|field| &field.ty);
            let inner = match (types.next(), types.next()) {
                (Some(ty), None) => of_type(ty),
                _ => tuple(fields),
            };
            if container.untagged {
                return Ok(inner);
            }
            inner
        }
    };
    Ok(quote!(::dewar::pages::json!({
        "type": "object", "properties": { #name: #inner }, "required": [#name], "additionalProperties": false
    })))
}

fn tuple(fields: &Fields) -> TokenStream {
    let types = fields.iter().map(|field| of_type(&field.ty));
    let length = fields.len();
    quote!(::dewar::pages::json!({
        "type": "array", "prefixItems": [#(#types),*], "minItems": #length, "maxItems": #length
    }))
}

fn of_type(ty: &Type) -> TokenStream {
    quote!(<#ty as ::dewar::pages::JsonSchema>::schema(schemas))
}

/// The object of these fields, with the tag of its variant.
fn object<'a>(
    fields: impl Iterator<Item = &'a Field>,
    case: Option<LetterCase>,
    tag: Option<(&str, &str)>,
) -> Result<TokenStream> {
    let (mut properties, mut required, mut flattened) = (Vec::new(), Vec::new(), Vec::new());
    if let Some((tag, variant)) = tag {
        properties.push(quote!(#tag: { "const": #variant }));
        required.push(tag.to_owned());
    }
    for field in fields {
        let found = member(&field.attrs)?;
        if found.is_skipped {
            continue;
        }
        let schema = of_type(&field.ty);
        if found.flatten {
            flattened.push(schema);
            continue;
        }
        let spelled = field.ident.as_ref().map(plain).unwrap_or_default();
        let name = found
            .rename
            .unwrap_or_else(|| case.map_or(spelled.clone(), |case| case.of_field(&spelled)));
        let described = description(&field.attrs);
        properties.push(quote!(#name: ::dewar::pages::described(#schema, #described)));
        if !found.may_be_absent {
            required.push(name);
        }
    }
    let own = quote!(::dewar::pages::json!({
        "type": "object", "properties": { #(#properties),* }, "required": [#(#required),*]
    }));
    if flattened.is_empty() {
        return Ok(own);
    }
    Ok(quote!(
        ::dewar::pages::json!({ "allOf": [#own, #(#flattened),*] })
    ))
}

fn container(attributes: &[Attribute]) -> Result<Container> {
    let mut found = Container::default();
    attributes::each(attributes, "serde", |meta| {
        match &*name_of(meta) {
            "rename" => found.rename = Some(text(meta)?),
            "rename_all" => found.rename_all = Some(case(meta)?),
            "rename_all_fields" => found.rename_all_fields = Some(case(meta)?),
            "tag" => found.tag = Some(text(meta)?),
            "transparent" => found.transparent = true,
            "untagged" => found.untagged = true,
            // They concern deserialization, or the bounds of serde's own code.
            "bound"
            | "crate"
            | "default"
            | "deny_unknown_fields"
            | "expecting"
            | "try_from"
            | "from" => skip(meta)?,
            _ => return Err(meta.error(UNSEEN)),
        }
        Ok(())
    })?;
    Ok(found)
}

fn member(attributes: &[Attribute]) -> Result<Member> {
    let mut found = Member::default();
    attributes::each(attributes, "serde", |meta| {
        match &*name_of(meta) {
            "rename" => found.rename = Some(text(meta)?),
            "rename_all" => found.rename_all = Some(case(meta)?),
            "flatten" => found.flatten = true,
            "skip" | "skip_serializing" => found.is_skipped = true,
            "skip_serializing_if" => {
                skip(meta)?;
                found.may_be_absent = true;
            }
            "alias" | "borrow" | "bound" | "default" | "deserialize_with" | "other"
            | "skip_deserializing" => skip(meta)?,
            _ => return Err(meta.error(UNSEEN)),
        }
        Ok(())
    })?;
    Ok(found)
}

fn name_of(meta: &ParseNestedMeta<'_>) -> String {
    meta.path
        .get_ident()
        .map(ToString::to_string)
        .unwrap_or_default()
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<String> {
    if !meta.input.peek(syn::Token![=]) {
        return Err(meta.error(UNSEEN));
    }
    Ok(attributes::text(meta)?.value())
}

fn case(meta: &ParseNestedMeta<'_>) -> Result<LetterCase> {
    LetterCase::of(&text(meta)?).ok_or_else(|| meta.error(UNSEEN))
}

/// Reads past the value of an entry.
fn skip(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(syn::Token![=]) {
        meta.value()?.parse::<Expr>()?;
    }
    Ok(())
}

/// The first paragraph of the documentation comment.
fn description(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
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
        let is_comment = pair.path.is_ident("doc");
        is_comment.then(|| text.value().trim().to_owned())
    });
    let first: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    first.join(" ")
}

fn plain(ident: &Ident) -> String {
    let spelled = ident.to_string();
    spelled.strip_prefix("r#").unwrap_or(&spelled).to_owned()
}
