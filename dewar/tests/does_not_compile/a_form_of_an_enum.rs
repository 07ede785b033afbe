// What is sent has names; variants of an enum have none that a page could send.
use dewar::Form;
use dewar::forms::Line;

#[derive(Form)]
enum Answer {
    Yes,
    No(Line<80>),
}

fn main() {}
