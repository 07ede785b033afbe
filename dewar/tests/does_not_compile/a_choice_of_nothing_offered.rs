// An enum that does not say what of it is offered.
use dewar::Form;
use dewar::forms::Choice;

#[derive(Clone, Copy)]
enum Size {
    Small,
    Large,
}

#[derive(Form)]
struct Order {
    size: Choice<Size>,
}

fn main() {}
