// A file of any kind.
use dewar::{Form, uploads::{MIB, Upload}};

struct Anything;

#[derive(Form)]
struct NewFile {
    file: Upload<Anything, { 2 * MIB }>,
}

fn main() {}
