use std::sync::Arc;

use minijinja::value::{Object, Value};

use crate::sessions::{Principal, Session};

/// The signed-in person, as templates see them: `user.id`, `user.name`, `user.email`, `user.picture`, `user.roles`.
///
/// A view, not a copy: what a page does not show is not made.
#[derive(Debug)]
struct User(Session);

/// The person of a session, or none.
pub(super) fn user(session: &Session) -> Value {
    if session.principal().is_none() {
        Value::from(())
    } else {
        Value::from_object(User(session.clone()))
    }
}

impl User {
    fn part(person: &Principal, name: &str) -> Option<Value> {
        match name {
            "id" => Some(Value::from(person.id().get())),
            "name" => Some(Value::from(person.name())),
            "email" => Some(Value::from(person.email())),
            "picture" => Some(person.picture().map_or(Value::from(()), Value::from)),
            "roles" => Some(person.roles().map(Value::from).collect()),
            _ => None,
        }
    }
}

impl Object for User {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, name: &str) -> Option<Value> {
        Self::part(self.0.principal()?, name)
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }
}
