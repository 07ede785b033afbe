// The values of a typed page have a known form.
use dewar::pages::PageData;

#[derive(serde::Serialize)]
struct Note {
    title: String,
}

#[derive(PageData)]
#[page(template = "notes/show.html")]
struct ShowNote {
    note: Note,
}

fn main() {
    let _ = <ShowNote as PageData>::TEMPLATE;
}
