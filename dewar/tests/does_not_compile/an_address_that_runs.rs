// An address that is a program in the reader's browser.
use dewar::Form;
use dewar::forms::{Schemes, Url};

struct Any;

impl Schemes for Any {
    const ALLOWED: &'static [&'static str] = &["https", "javascript"];
}

#[derive(Form)]
struct Link {
    address: Url<Any>,
}

fn main() {}
