use std::sync::Arc;

use minijinja::value::{Object, Value};

use crate::sessions::{Principal, Session};

/// The signed-in user, as templates see them: `user.id`, `user.name`, `user.email`, `user.picture`, `user.roles`.
///
/// It is a view, not a copy: a value is made only when a page shows it.
#[derive(Debug)]
struct TemplateUser(Session);

/// The user of a session, or none.
pub(super) fn user(session: &Session) -> Value {
    if session.principal().is_none() {
        Value::from(())
    } else {
        Value::from_object(TemplateUser(session.clone()))
    }
}

impl TemplateUser {
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

impl Object for TemplateUser {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Clock, Log};
    use crate::database::{Db, Migration};
    use crate::sessions::{self, Sessions, UserId};

    /// The columns of the accounts table that sessions read; the room that owns it comes later.
    const PEOPLE: Migration = Migration::new(
        "people_0001",
        "CREATE TABLE dewar_users (
            id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, picture TEXT, disabled_at INTEGER,
            second_factor_at INTEGER
        ) STRICT;
        CREATE TABLE dewar_user_roles (user_id INTEGER NOT NULL, role TEXT NOT NULL) STRICT;
        INSERT INTO dewar_users (id, email, name) VALUES (7, 'ada@example.org', 'Ada');
        INSERT INTO dewar_user_roles (user_id, role) VALUES (7, 'member'), (7, 'reviewer');",
    );

    #[tokio::test]
    async fn a_template_sees_of_a_person_what_is_named_here_and_no_more() {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let log = Log::open(directory.path().join("audit"), [7; 32], clock.clone()).unwrap();
        let db = Db::temporary().unwrap();
        let all: Vec<Migration> = [PEOPLE]
            .iter()
            .chain(sessions::MIGRATIONS)
            .copied()
            .collect();
        db.migrate(&all).await.unwrap();
        let sessions = Sessions::new(db, sessions::Config::default(), clock, log);
        let session = sessions.visitor();
        assert!(user(&session).is_none() && !user(&session).is_true());
        session.sign_in(UserId::new(7), 0).await.unwrap();
        let user = user(&session.begun().await.unwrap());
        assert!(user.is_true());
        for (name, value) in [
            ("id", Value::from(7)),
            ("name", Value::from("Ada")),
            ("email", Value::from("ada@example.org")),
            ("picture", Value::from(())),
        ] {
            assert_eq!(user.get_attr(name).unwrap(), value, "{name}");
            assert_eq!(user.get_item(&Value::from(name)).unwrap(), value, "{name}");
        }
        let roles: Vec<String> = user
            .get_attr("roles")
            .unwrap()
            .try_iter()
            .unwrap()
            .map(|role| role.to_string())
            .collect();
        assert_eq!(roles, ["member", "reviewer"]);
        for none in ["password", "session", ""] {
            assert!(user.get_attr(none).unwrap().is_undefined(), "{none}");
        }
        assert!(user.get_item(&Value::from(1)).unwrap().is_undefined());
    }
}
