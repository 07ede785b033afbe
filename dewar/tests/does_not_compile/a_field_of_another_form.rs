// A field belongs to its form.
use dewar::Form;
use dewar::forms::{BoundForm, Line};

#[derive(Form)]
struct NewNote {
    title: Line<80>,
}

#[derive(Form)]
struct Rename {
    name: Line<80>,
}

fn refused(bound: BoundForm<NewNote>) -> dewar::Error {
    bound.refuse(Rename::NAME, "There is a note of this name.")
}

fn main() {
    let _ = refused;
}
