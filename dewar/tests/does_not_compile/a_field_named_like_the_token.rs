// The field of the CSRF token as a field of one's own.
use dewar::Form;
use dewar::forms::Line;

#[derive(Form)]
struct NewNote {
    csrf_token: Line<80>,
}

fn main() {}
