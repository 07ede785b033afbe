// A sealed value that a request may leave out: then nobody would check it.
use dewar::Form;
use dewar::forms::{Hidden, Int, Patch};

#[derive(Form)]
struct Change {
    record: Patch<Hidden<Int<1, 9>>>,
}

fn main() {}
