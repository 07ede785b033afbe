// Files in rows: as many as a visitor likes, each of its full size.
use dewar::Form;
use dewar::forms::{Line, List};
use dewar::uploads::{Document, MIB, Upload};

#[derive(Form)]
struct Paper {
    title: Line<80>,
    file: Upload<Document, { MIB }>,
}

#[derive(Form)]
struct Bundle {
    papers: List<Paper, 1, 20>,
}

fn main() {}
