// A token that HTML does not have: browsers pass it over, and fill in something else.
use dewar::Form;
use dewar::forms::Line;

#[derive(Form)]
struct Address {
    #[field(autocomplete = "postcode")]
    postcode: Line<8>,
}

fn main() {}
