// A record that was not loaded through the caller's scope.
use dewar::{CurrentUser, roles::{Scope, Scoped}};

fn mine<S: Scope>(foreign: <S::Entity as sea_orm::EntityTrait>::Model, _: &CurrentUser) -> Scoped<S> {
    Scoped(foreign)
}

fn main() {}
