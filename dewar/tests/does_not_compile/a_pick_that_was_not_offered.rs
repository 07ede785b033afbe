// What came in is a claim; only what this visitor was offered becomes a record.
use dewar::forms::Pick;
use dewar::{Form, Redirect};

struct Shelf;

#[derive(Form)]
struct NewBook {
    shelf: Pick<Shelf>,
}

async fn create(form: Form<NewBook>) -> dewar::Result<Redirect> {
    let book = form.or_rerender("books/new.html")?;
    Redirect::to_path(format!("/shelves/{}", book.shelf))
}

fn main() {}
