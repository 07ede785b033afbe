// A number without bounds.
use dewar::Form;

#[derive(Form)]
struct Order {
    count: i64,
}

fn main() {}
