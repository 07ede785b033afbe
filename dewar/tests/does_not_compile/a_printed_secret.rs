// A secret in a line of text, where logs would keep it.
use dewar::secrets::Secret;

fn announce(key: Secret<String>) -> String {
    format!("the key is {key}")
}

fn main() {}
