// A comparison that tells by its time how much was right.
use dewar::secrets::Secret;

fn is_it(one: Secret<String>, other: Secret<String>) -> bool {
    one == other
}

fn main() {}
