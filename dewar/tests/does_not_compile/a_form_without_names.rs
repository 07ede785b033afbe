// Fields without names.
use dewar::Form;
use dewar::forms::Line;

#[derive(Form)]
struct NewNote(Line<80>);

fn main() {}
