// A plain string: as long as the visitor likes, with whatever in it.
use dewar::Form;

#[derive(Form)]
struct Note {
    title: String,
}

fn main() {}
