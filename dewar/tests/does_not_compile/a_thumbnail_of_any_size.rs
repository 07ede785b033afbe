// A thumbnail as large as a visitor would like: each one is decoded, drawn and stored.
use dewar::uploads::Thumbnail;

const POSTER: Thumbnail<8_000, 8_000> = Thumbnail::new();

fn main() {
    let _ = POSTER;
}
