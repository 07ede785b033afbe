// A plain string: of any length, with any characters.
use dewar::Form;

#[derive(Form)]
struct Note {
    title: String,
}

fn main() {}
