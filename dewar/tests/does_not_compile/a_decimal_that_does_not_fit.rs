// Bounds that the number itself cannot hold.
use dewar::Form;
use dewar::forms::Decimal;

#[derive(Form)]
struct Invoice {
    total: Decimal<9, 0, 10_000_000_000>,
}

fn main() {}
