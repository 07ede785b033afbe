// A target from the visitor: an open redirect.
use dewar::{Form, Redirect, forms::Line};

#[derive(Form)]
struct Back {
    next: Line<200>,
}

async fn back(form: Form<Back>) -> dewar::Result<Redirect> {
    let back = form.or_rerender("back.html")?;
    Ok(Redirect::to(back.next.to_string()))
}

fn main() {}
