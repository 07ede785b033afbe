// An optional form: its token would be optional too.
use dewar::forms::{HandlerInput, Described, Line};
use dewar::Form;

#[derive(Form)]
struct Rename {
    name: Line<80>,
}

fn describe(route: &mut Described) {
    <Option<Form<Rename>> as HandlerInput>::describe(route);
}

fn main() {}
