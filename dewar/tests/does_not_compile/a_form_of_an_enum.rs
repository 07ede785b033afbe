// A form's values have names. A page cannot send the name of an enum's variant.
use dewar::Form;
use dewar::forms::Line;

#[derive(Form)]
enum Answer {
    Yes,
    No(Line<80>),
}

fn main() {}
