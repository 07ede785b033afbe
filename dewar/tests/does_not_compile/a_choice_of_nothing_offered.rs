// An enum without the choices that it offers.
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
