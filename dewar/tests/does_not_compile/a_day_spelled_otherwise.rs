// A bound that no value can be compared with would bound nothing.
use dewar::Form;
use dewar::forms::Date;

#[derive(Form)]
struct Booking {
    #[field(earliest = "1.1.2027")]
    day: Date,
}

fn main() {}
