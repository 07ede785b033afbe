//! Derives for data: `Form`, `Choices`, `JsonSchema`, `Letter`, `PageData`, `PathParams`, `Role`, `ApiScope` and `Settings`. They write down facts
//! that a type already has, and nothing else; routes, guards and checks are plain Rust.
#![forbid(unsafe_code)]

mod attributes;
mod choices;
mod form;
mod json_schema;
mod letter;
mod letter_case;
mod page;
mod path;
mod role;
mod scope;
mod settings;
mod variants;
mod words;

use proc_macro::TokenStream;
use syn::{DeriveInput, Error, parse_macro_input};

/// Makes a form of a struct whose fields are value types.
///
/// On a field, `#[field(label = "…", hint = "…", placeholder = "…", autocomplete = "…", group = "…", earliest = "…",
/// latest = "…", rows = 6, radio, range, list_box, suggest = ["…"], tickets = "…", unlabelled)]` sets how it is shown and, for a day or
/// an hour, its bounds; the default label is the field's name. On the struct, `#[form(check = Self::function)]` names a
/// rule between fields, a `fn(&Self) -> Result<(), dewar::forms::Problems<Self>>`. `#[form(edits = note::Model)]` makes it a
/// form that changes a record of this model; mark a field that is no column with `#[field(apart)]`.
#[proc_macro_derive(Form, attributes(field, form))]
pub fn derive_form(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    form::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Makes the variants of an enum the choices of a field.
///
/// On a variant, `#[choice(label = "…")]` sets its label; the default is its name. A form sends the name in `snake_case`.
#[proc_macro_derive(Choices, attributes(choice))]
pub fn derive_choices(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    choices::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Makes a letter of a struct: its fields are the values of the template.
///
/// `#[letter(template = "letters/invoice")]` names the template, without `.txt` and `.html`. `valid_minutes = 60` says when the
/// letter is of no use any more: Dewar does not send it later.
#[proc_macro_derive(Letter, attributes(letter))]
pub fn derive_letter(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    letter::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Makes the fields of a struct the values of a page's template.
///
/// `#[page(template = "notes/show.html")]` names the template, which Dewar compares with the fields at start. A field with
/// `#[page(untyped)]` is a value whose parts Dewar does not know.
#[proc_macro_derive(PageData, attributes(page))]
pub fn derive_page_data(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    page::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Makes the fields of a struct the parameters of a path, by their names: `struct Place { project: Slug<40>, issue: u32 }` for
/// `/{project}/issues/{issue}`.
#[proc_macro_derive(PathParams)]
pub fn derive_path_params(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    path::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Makes the variants of an enum the roles of an application.
///
/// Exactly one variant has `#[role(administrator)]`. `#[role(label = "…")]` sets the label of a role; the default is its
/// name. Dewar stores the name in `snake_case`.
#[proc_macro_derive(Role, attributes(role))]
pub fn derive_role(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    role::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Makes a struct a section of `dewar.toml`, with a setting for each field.
///
/// On the struct, `#[settings(section = "helpdesk")]` names the section. On a field,
/// `#[setting(default = "5m", min = "1s", max = "1h")]` sets its default and its bounds, as the operator would write them; a
/// field without a default is required, unless it is an `Option`. The field's comment is the help for the operator. A
/// field of type `Secret<String>` is the setting `…_file`, which names a file.
#[proc_macro_derive(Settings, attributes(setting, settings))]
pub fn derive_settings(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    settings::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// Makes the variants of an enum the scopes of an application's API tokens.
///
/// `#[scope(label = "…")]` sets the words that people read; the default is the variant's name. `#[scope(role =
/// Staff::Reviewer)]` ties a scope to a role: a personal token has it only while its owner has the role. Dewar stores the
/// name in `snake_case`.
#[proc_macro_derive(ApiScope, attributes(scope))]
pub fn derive_api_scope(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    scope::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

/// States the JSON that `#[derive(Serialize)]` writes for a struct or an enum, as a schema (JSON Schema 2020-12).
///
/// It reads serde's attributes and refuses one whose effect it cannot see. The first paragraph of a documentation comment
/// becomes the description.
#[proc_macro_derive(JsonSchema, attributes(serde))]
pub fn derive_json_schema(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    json_schema::derive(&input)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}
