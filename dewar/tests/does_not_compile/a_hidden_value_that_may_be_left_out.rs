// A sealed value that may be left out is no seal: an attacker leaves it out.
use dewar::Form;
use dewar::forms::{Hidden, Int};

#[derive(Form)]
struct Rename {
    version: Option<Hidden<Int<0, 1_000>>>,
}

fn main() {}
