// The proof of a check that was never made.
use dewar::csrf::CsrfChecked;

fn checked() -> CsrfChecked {
    CsrfChecked(())
}

fn main() {}
