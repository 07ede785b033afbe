use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Error, Expr, ExprArray, Field, Fields, Ident, LitInt, Result, Type,
    Visibility,
};

use crate::{attributes, words};

/// Names with another meaning in a template, and the token's own name.
const TAKEN: [&str; 5] = ["attributes", "csrf_token", "errors", "fields", "token"];

const KNOWN: &str = "label = \"…\", hint = \"…\", placeholder = \"…\", autocomplete = \"…\", group = \"…\", earliest = \"…\", \
     latest = \"…\", rows = 6, radio, range, list_box, suggest = [\"…\"], tickets = \"…\", unlabelled, apart";

const RULES: &str = "the field's type states the rules, so nothing bypasses them: `Line<40>` for a length, `Int<1, \
     9>` for a range, `Option<…>` for an optional value, a `Field` of your own for a pattern";

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let fields = fields_of(input)?;
    let (name, visibility) = (&input.ident, &input.vis);
    let kebab = words::kebab(&name.to_string());
    let Attributes { check, edits } = attributes_of(input)?;
    let edits = edits
        .map(|record| edits_of(input, &fields, &record))
        .transpose()?;
    let check = check.map(|check| rule(&check));
    let specs = fields
        .iter()
        .map(|field| spec(field))
        .collect::<Result<Vec<_>>>()?;
    let idents: Vec<_> = fields
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .collect();
    let names: Vec<_> = idents.iter().map(|ident| plain(ident)).collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let paths = fields.iter().map(|field| path(field, visibility));
    let paths = paths.collect::<Result<Vec<_>>>()?;
    // A name of ours that no field of the form can hide.
    let received = Ident::new("received", Span::mixed_site());
    let takes = idents.iter().zip(&names).zip(&types).map(|((ident, name), ty)| {
        quote_spanned!(ty.span()=> let #ident = <#ty as ::dewar::forms::Field>::take(#received, #name);)
    });
    let shows = idents.iter().zip(&types).map(|(ident, ty)| {
        quote_spanned!(ty.span()=> <#ty as ::dewar::forms::Field>::show(&self.#ident))
    });
    Ok(quote! {
        #[automatically_derived]
        impl ::dewar::forms::Model for #name {
            const NAME: &'static str = #kebab;
            const FIELDS: &'static [::dewar::forms::FieldSpec] = &[#(#specs),*];
            fn read(#received: &mut ::dewar::forms::Received) -> ::core::option::Option<Self> {
                // All fields are read before the first one is used, so every error is shown at once.
                #(#takes)*
                ::core::option::Option::Some(Self { #(#idents: #idents?),* })
            }
            fn show(&self) -> ::std::vec::Vec<::dewar::forms::FormValue> {
                ::std::vec![#(#shows),*]
            }
            #check
        }
        // Checks the attributes here, not where the form is first used.
        const _: &[::dewar::forms::FieldSpec] = <#name as ::dewar::forms::Model>::FIELDS;
        #[automatically_derived]
        #[allow(dead_code, reason = "a form can be blank, filled, or both, and few fields are named")]
        #[allow(private_interfaces, reason = "a field of a private type has a path of the form's own visibility")]
        impl #name {
            #(#paths)*
            /// The empty form.
            #visibility fn view() -> ::dewar::forms::FormView<Self> {
                ::dewar::forms::FormView::blank()
            }
            /// The form with these values.
            #visibility fn view_of(&self) -> ::dewar::forms::FormView<Self> {
                ::dewar::forms::FormView::filled(self)
            }
        }
        #edits
    })
}

/// `#[form(check = Self::function)]`.
fn rule(check: &Expr) -> TokenStream {
    quote_spanned! {check.span()=>
        fn check(&self) -> ::core::result::Result<(), ::dewar::forms::Problems<Self>> {
            let rule: fn(&Self) -> ::core::result::Result<(), ::dewar::forms::Problems<Self>> = #check;
            rule(self)
        }
    }
}

/// `#[form(edits = note::Model)]`: each field is a column of this model, and columns without a field stay unchanged.
fn edits_of(input: &DeriveInput, fields: &[&Field], record: &Type) -> Result<TokenStream> {
    let name = &input.ident;
    // Names of ours that no field of the form can hide.
    let (from, active) = (
        Ident::new("from", Span::mixed_site()),
        Ident::new("active", Span::mixed_site()),
    );
    let (mut shows, mut sets) = (Vec::new(), Vec::new());
    for field in fields {
        let (ident, ty) = (&field.ident, &field.ty);
        if is_apart(field)? {
            shows.push(quote!(::dewar::forms::FormValue::Nothing));
            continue;
        }
        let span = ident.as_ref().map_or_else(|| ty.span(), Spanned::span);
        shows.push(quote_spanned! {span=>
            <#ty as ::dewar::forms::IntoColumn<_>>::shown(&#from.#ident)
        });
        sets.push(quote_spanned! {span=>
            ::dewar::forms::change(
                &mut #active.#ident,
                <#ty as ::dewar::forms::IntoColumn<_>>::keep(self.#ident),
            );
        });
    }
    if sets.is_empty() {
        return Err(Error::new_spanned(
            record,
            "every field is `apart`, so the form edits nothing: leave `edits` out",
        ));
    }
    Ok(quote! {
        #[automatically_derived]
        impl ::dewar::forms::Edits for #name {
            type Record = #record;
            fn edit(#from: &#record) -> ::dewar::forms::FormView<Self> {
                ::dewar::forms::FormView::showing(::std::vec![#(#shows),*])
            }
            fn apply(
                self,
                record: impl ::dewar::forms::Becomes<::dewar::forms::ActiveOf<#record>>,
            ) -> ::dewar::forms::ActiveOf<#record> {
                let mut #active = ::dewar::forms::Becomes::into_active_model(record);
                #(#sets)*
                #active
            }
        }
    })
}

/// `#[field(apart)]`: the field is no column of the record.
fn is_apart(field: &Field) -> Result<bool> {
    let mut apart = false;
    attributes::each(&field.attrs, "field", |meta| {
        if meta.path.is_ident("apart") {
            apart = true;
        } else if meta.input.peek(syn::Token![=]) {
            meta.value()?.parse::<Expr>()?;
        }
        Ok(())
    })?;
    Ok(apart)
}

fn fields_of(input: &DeriveInput) -> Result<Vec<&Field>> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a form has no type parameters",
        ));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(named) if !named.named.is_empty() => Ok(named.named.iter().collect()),
            Fields::Named(_) | Fields::Unnamed(_) | Fields::Unit => Err(Error::new_spanned(
                &input.ident,
                "a form is a struct with named fields: `struct NewNote { title: Line<80> }`",
            )),
        },
        Data::Enum(_) | Data::Union(_) => Err(Error::new_spanned(
            &input.ident,
            "a form is a struct; an enum can be one of its fields: `#[derive(Choices)]` on the enum and `Choice<Enum>` as the field",
        )),
    }
}

/// The attributes of the whole form.
#[derive(Default)]
struct Attributes {
    check: Option<Expr>,
    edits: Option<Type>,
}

fn attributes_of(input: &DeriveInput) -> Result<Attributes> {
    let mut found = Attributes::default();
    attributes::each(&input.attrs, "form", |meta| {
        if meta.path.is_ident("check") {
            found.check = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("edits") {
            found.edits = Some(meta.value()?.parse()?);
        } else {
            return Err(attributes::unknown(
                meta,
                "check = Self::function, edits = note::Model",
            ));
        }
        Ok(())
    })?;
    Ok(found)
}

fn plain(ident: &Ident) -> String {
    let spelled = ident.to_string();
    spelled
        .strip_prefix("r#")
        .map_or(spelled.clone(), str::to_owned)
}

/// The path of a field, as a constant: `TITLE` for `title`, `TYPE` for `r#type`.
fn path(field: &Field, visibility: &Visibility) -> Result<TokenStream> {
    let name = name_of(field)?;
    let span = field
        .ident
        .as_ref()
        .map_or_else(Span::call_site, Ident::span);
    let constant = Ident::new(&name.to_uppercase(), span);
    let (ty, about) = (&field.ty, format!("The field `{name}`."));
    Ok(quote! {
        #[doc = #about]
        #visibility const #constant: ::dewar::forms::FieldPath<Self, #ty> =
            ::dewar::forms::FieldPath::new(#name);
    })
}

/// The name of the field in a request.
fn name_of(field: &Field) -> Result<String> {
    let ident = field
        .ident
        .as_ref()
        .ok_or_else(|| Error::new_spanned(field, "a field needs a name"))?;
    let name = plain(ident);
    if TAKEN.contains(&name.as_str()) {
        return Err(Error::new(
            ident.span(),
            format!("`{name}` has another meaning in a form; rename the field"),
        ));
    }
    if name.len() > 64 || !name.is_ascii() {
        return Err(Error::new(
            ident.span(),
            "a field's name has at most 64 characters, all ASCII",
        ));
    }
    Ok(name)
}

fn spec(field: &Field) -> Result<TokenStream> {
    let name = name_of(field)?;
    let ty = &field.ty;
    let mut label = words::sentence(&name);
    let mut kind = quote_spanned!(ty.span()=> <#ty as ::dewar::forms::Field>::KIND);
    let mut more = TokenStream::new();
    attributes::each(&field.attrs, "field", |meta| {
        let entry = meta
            .path
            .get_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        match entry.as_str() {
            "label" => label = attributes::text(meta)?.value(),
            // The compiler checks these at their place: the call has the span of the text.
            "autocomplete" | "earliest" | "latest" | "tickets" => {
                let text = attributes::text(meta)?;
                let method = Ident::new(&entry, text.span());
                kind.extend(quote_spanned!(text.span()=> .#method(#text)));
            }
            "group" | "hint" | "placeholder" => {
                let text = attributes::text(meta)?;
                let method = Ident::new(&entry, text.span());
                more.extend(quote!(.#method(#text)));
            }
            "radio" | "range" | "list_box" => {
                let method = Ident::new(&entry, meta.path.span());
                kind.extend(quote_spanned!(meta.path.span()=> .#method()));
            }
            "unlabelled" => more.extend(quote!(.unlabelled())),
            "suggest" => {
                let list: ExprArray = meta.value()?.parse()?;
                more.extend(quote!(.suggest(&#list)));
            }
            // It has a meaning only if the form edits a record.
            "apart" => {}
            "rows" => {
                let rows: LitInt = meta.value()?.parse()?;
                let rows: u16 = rows.base10_parse()?;
                more.extend(quote!(.rows(#rows)));
            }
            "max" | "max_length" | "maxlength" | "min" | "min_length" | "pattern" | "required" => {
                return Err(meta.error(RULES));
            }
            _ => return Err(attributes::unknown(meta, KNOWN)),
        }
        Ok(())
    })?;
    Ok(quote!(::dewar::forms::FieldSpec::new(#name, #label, #kind) #more))
}
