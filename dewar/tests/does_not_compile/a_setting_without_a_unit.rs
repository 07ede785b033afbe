// A number of seconds or of minutes? A setting has a type with rules.
#[derive(dewar::Settings)]
#[settings(section = "helpdesk")]
struct Helpdesk {
    #[setting(default = "1.5")]
    answer_within: f64,
}

fn main() {}
