// A rule that nobody knows would be a rule that nobody applies.
use dewar::Form;
use dewar::forms::Line;

#[derive(Form)]
struct NewNote {
    #[field(max_length = 40)]
    title: Line<80>,
}

fn main() {}
