//! Derives for data: `Form`, `Choices` and `Role`. They write down what a type already says, and nothing else; routes,
//! guards and checks are plain Rust.
#![forbid(unsafe_code)]

mod attributes;
mod choices;
mod form;
mod role;
mod variants;
mod words;

use proc_macro::TokenStream;
use syn::{DeriveInput, Error, parse_macro_input};

/// Makes a form of a struct whose fields are value types.
///
/// On a field, `#[field(label = "…", hint = "…", placeholder = "…", autocomplete = "…", group = "…", earliest = "…",
/// latest = "…", rows = 6, radio, range, list_box, suggest = ["…"], unlabelled)]` says how it is shown and, for a day or an hour, its bounds; without a label the field's name is one. On the struct, `#[form(check = Self::function)]` names a rule
/// between fields, a `fn(&Self) -> Result<(), dewar::forms::Problems>`; `#[form(edits = note::Model)]` makes it a form that
/// changes a record of this model, in which a field that is no column is marked with `#[field(apart)]`.
#[proc_macro_derive(Form, attributes(field, form))]
pub fn derive_form(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    form::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Makes the values of an enum something to choose from.
///
/// On a variant, `#[choice(label = "…")]` gives the words for it; without one its name is it. What is sent is the name
/// in `snake_case`.
#[proc_macro_derive(Choices, attributes(choice))]
pub fn derive_choices(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    choices::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Makes an enum the roles of an application.
///
/// Exactly one variant has `#[role(administrator)]`. `#[role(label = "…")]` gives the words for a role; without one its
/// name is it. What is stored is the name in `snake_case`.
#[proc_macro_derive(Role, attributes(role))]
pub fn derive_role(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    role::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}
