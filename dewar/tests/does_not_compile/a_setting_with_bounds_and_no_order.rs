// A text has no least and no greatest value.
#[derive(dewar::Settings)]
#[settings(section = "helpdesk")]
struct Helpdesk {
    #[setting(default = "b", min = "a")]
    prefix: String,
}

fn main() {}
