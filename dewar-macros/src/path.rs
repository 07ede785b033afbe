use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, Fields, Result};

/// The parameters of a path by name: each field of the struct is one.
pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let name = &input.ident;
    let fields = fields_of(input)?;
    let idents: Vec<_> = fields
        .iter()
        .filter_map(|field| field.ident.as_ref())
        .collect();
    let names: Vec<String> = idents
        .iter()
        .map(|ident| ident.to_string().trim_start_matches("r#").to_owned())
        .collect();
    let types: Vec<_> = fields.iter().map(|field| &field.ty).collect();
    let kinds = types
        .iter()
        .map(|ty| quote_spanned!(ty.span()=> <#ty as ::dewar::forms::FromPathParam>::TAKES));
    let schemas = types
        .iter()
        .map(|ty| quote_spanned!(ty.span()=> <#ty as ::dewar::forms::FromPathParam>::schema()));
    let values = idents.iter().zip(&types).map(|(ident, ty)| {
        quote_spanned! {ty.span()=>
            #ident: <#ty as ::dewar::forms::FromPathParam>::parse(#ident)?
        }
    });
    Ok(quote! {
        #[automatically_derived]
        impl ::dewar::forms::FromPathParams for #name {
            fn take() -> ::std::vec::Vec<&'static str> {
                ::std::vec![#(#kinds),*]
            }
            fn schemas() -> ::std::vec::Vec<::dewar::pages::JsonValue> {
                ::std::vec![#(#schemas),*]
            }
            fn names() -> ::core::option::Option<&'static [&'static str]> {
                ::core::option::Option::Some(&[#(#names),*])
            }
            fn parse(texts: &[&str]) -> ::core::option::Option<Self> {
                let [#(#idents),*] = texts else {
                    return ::core::option::Option::None;
                };
                ::core::option::Option::Some(Self { #(#values),* })
            }
        }
    })
}

fn fields_of(input: &DeriveInput) -> Result<Vec<&Field>> {
    let wrong = |what: &dyn quote::ToTokens| {
        Error::new_spanned(
            what,
            "the parameters of a path are a struct with a field for each, without type parameters: \
             `struct Place { project: Slug<40>, issue: u32 }`",
        )
    };
    if !input.generics.params.is_empty() {
        return Err(wrong(&input.generics));
    }
    let Data::Struct(data) = &input.data else {
        return Err(wrong(&input.ident));
    };
    match &data.fields {
        Fields::Named(named) if !named.named.is_empty() => Ok(named.named.iter().collect()),
        Fields::Named(_) | Fields::Unnamed(_) | Fields::Unit => Err(wrong(&input.ident)),
    }
}
