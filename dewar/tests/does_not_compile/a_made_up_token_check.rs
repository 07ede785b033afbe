// An argument that says that it checks the token, as a form does: a handler that takes it
// would be called without.
use dewar::forms::{HandlerInput, Described};

struct Mine;

impl HandlerInput for Mine {
    fn describe(_: &mut Described) {}

    fn token(_: dewar::forms::handler_input::proof::TokenQuestion) -> dewar::forms::handler_input::proof::TokenAnswer {
        dewar::forms::handler_input::proof::TokenAnswer::Checked
    }
}

fn main() {}
