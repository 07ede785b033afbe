// The sent value is only a claim. A record comes only from the values that this visitor was offered.
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
