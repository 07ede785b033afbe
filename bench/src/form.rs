//! One form, twice: with the rules of its fields, and as a plain struct that axum reads.

use std::hint::black_box;

use axum::extract::Form as Bare;
use dewar::forms::{Choice, Email, Int, Line, Text};
use dewar::{App, Form, post};
use serde::Deserialize;

use crate::{Result, uploads};

/// The form's path on both servers.
pub(crate) const PATH: &str = "/order";

#[derive(dewar::forms::Choices, Clone, Copy, Debug, PartialEq, Eq)]
enum Colour {
    Red,
    Blue,
}

/// A typical form.
#[derive(Form, Debug)]
pub(crate) struct Checked {
    name: Line<80>,
    email: Email,
    age: Int<0, 150>,
    colour: Choice<Colour>,
    about: Text<2_000>,
    newsletter: bool,
}

/// The same fields without any rules.
#[derive(Deserialize, Debug)]
pub(crate) struct Plain {
    name: String,
    email: String,
    age: u8,
    colour: String,
    about: String,
    newsletter: String,
}

/// The input of a user.
pub(crate) const FIELDS: &str = "name=Ada+Lovelace&email=ada.lovelace%40example.org&age=36&colour=blue\
    &about=The+Analytical+Engine+has+no+pretensions+whatever+to+originate+anything.+It+can+do+whatever+we+know\
    +how+to+order+it+to+perform%3A+it+can+follow+analysis%2C+but+it+has+no+power+of+anticipating+any\
    +analytical+relations+or+truths.&newsletter=on";

/// Checks that both read the same.
pub(crate) fn same(plain: &Plain, checked: &Checked) -> Result {
    let same = plain.name == checked.name.as_str()
        && plain.email == checked.email.as_str()
        && i64::from(plain.age) == checked.age.get()
        && plain.colour == checked.colour.value()
        && plain.about == checked.about.as_str()
        && (plain.newsletter == "on") == checked.newsletter;
    if same {
        return Ok(());
    }
    Err(format!("both read something else: {plain:?}, {checked:?}").into())
}

/// The response of the bare server.
pub(crate) async fn plain(Bare(form): Bare<Plain>) -> &'static str {
    black_box(form);
    "taken"
}

async fn checked(form: Form<Checked>) -> dewar::Result<&'static str> {
    black_box(form.or_rerender("front/index.html")?);
    Ok("taken")
}

/// The portal, with a route that accepts the form from every signed-in user.
pub(crate) fn with_order(app: App) -> App {
    app.signed_in([post(PATH, checked), post(uploads::PATH, uploads::kept)])
}
