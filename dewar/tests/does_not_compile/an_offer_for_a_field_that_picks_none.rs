// Records are offered for a field that picks one of them.
use dewar::Form;
use dewar::forms::{FormView, Line, Offered};

#[derive(Form)]
struct NewNote {
    title: Line<80>,
}

fn offered(shelves: &Offered<i64>) -> FormView<NewNote> {
    NewNote::view().offer(NewNote::TITLE, shelves)
}

fn main() {
    let _ = offered;
}
