// The proof that somebody gave their password a moment ago, made without asking.
use dewar::accounts::Recently;

fn recently() -> Recently {
    Recently(())
}

fn main() {}
