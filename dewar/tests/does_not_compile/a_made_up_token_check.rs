// An argument that says that it checks the token, as a form does: a handler that takes it
// would be called without.
use dewar::forms::{Argument, Described};

struct Mine;

impl Argument for Mine {
    fn describe(_: &mut Described) {}

    fn token(_: dewar::forms::argument::proof::Asked) -> dewar::forms::argument::proof::Token {
        dewar::forms::argument::proof::Token::Checked
    }
}

fn main() {}
