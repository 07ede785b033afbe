// A typo in the name of a field does not wait for a visitor.
use dewar::Form;
use dewar::forms::{FormView, Line};

#[derive(Form)]
struct NewNote {
    title: Line<80>,
}

fn filled() -> FormView<NewNote> {
    NewNote::view().fill(NewNote::TITEL, "Milk")
}

fn main() {
    let _ = filled();
}
