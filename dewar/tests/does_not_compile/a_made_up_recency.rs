// The proof that somebody gave their password a moment ago, made without asking.
use dewar::accounts::RecentlyAuthenticated;

fn recently_authenticated() -> RecentlyAuthenticated {
    RecentlyAuthenticated(())
}

fn main() {}
