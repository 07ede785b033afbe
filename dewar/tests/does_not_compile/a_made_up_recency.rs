// The proof of a recent password, made without asking for it.
use dewar::accounts::RecentlyAuthenticated;

fn recently_authenticated() -> RecentlyAuthenticated {
    RecentlyAuthenticated(())
}

fn main() {}
