//! `manage.py dumpdata auth.group auth.user` of Django: one JSON array, read object by object.
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Error as _, SeqAccess, Visitor};
use serde_json::Value;

use super::SourceRow;
use crate::accounts::{AccountState, ImportRow};

/// The most bytes of an object.
const MOST_BYTES: u64 = 256 * 1024;
/// The most groups that a file may define.
const MOST_GROUPS: usize = 10_000;

/// An object of the array.
#[derive(Deserialize)]
struct Object {
    model: String,
    #[serde(default)]
    pk: Value,
    fields: Value,
}

/// Reads the users of a file, and passes each on until the receiver has gone.
///
/// # Errors
/// The file cannot be read, or is no such array.
pub(super) fn read(
    input: impl Read,
    model: &str,
    send: &mut dyn FnMut(SourceRow) -> bool,
) -> Result<(), String> {
    let left = Rc::new(Cell::new(MOST_BYTES));
    let position = Rc::new(Cell::new(0));
    let bounded = BoundedObjects {
        input: BufReader::new(input),
        left: Rc::clone(&left),
        position: Rc::clone(&position),
    };
    let mut json = serde_json::Deserializer::from_reader(bounded);
    let objects = Objects {
        model,
        left,
        position,
        groups: HashMap::new(),
        send,
    };
    objects
        .deserialize(&mut json)
        .map_err(|error| error.to_string())?;
    json.end().map_err(|error| error.to_string())
}

/// A file of which one object may have so many bytes.
struct BoundedObjects<R> {
    input: R,
    left: Rc<Cell<u64>>,
    position: Rc<Cell<u64>>,
}

impl<R: Read> Read for BoundedObjects<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let left = self.left.get().checked_sub(read as u64);
        let left = left.ok_or_else(|| io::Error::other("an object is longer than 256 KiB"))?;
        self.left.set(left);
        self.position.set(self.position.get() + read as u64);
        Ok(read)
    }
}

struct Objects<'a> {
    model: &'a str,
    left: Rc<Cell<u64>>,
    position: Rc<Cell<u64>>,
    groups: HashMap<String, String>,
    send: &'a mut dyn FnMut(SourceRow) -> bool,
}

impl<'de> DeserializeSeed<'de> for Objects<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Objects<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the array of `manage.py dumpdata`")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut all: A) -> Result<(), A::Error> {
        let mut number = 0_u64;
        while let Some(object) = all.next_element::<Object>()? {
            self.left.set(MOST_BYTES);
            number += 1;
            if object.model == "auth.group" {
                self.group(&object).map_err(A::Error::custom)?;
            } else if object.model.eq_ignore_ascii_case(self.model) {
                let row = SourceRow {
                    place: format!("object {number}"),
                    position: self.position.get(),
                    row: self.user(&object.fields),
                };
                if !(self.send)(row) {
                    return Err(A::Error::custom("the import ended"));
                }
            }
        }
        Ok(())
    }
}

impl Objects<'_> {
    fn group(&mut self, object: &Object) -> Result<(), &'static str> {
        let name = object.fields.get("name").and_then(Value::as_str);
        let name = name.ok_or("a group has no name")?;
        if self.groups.len() >= MOST_GROUPS {
            return Err("more than 10,000 groups");
        }
        self.groups.insert(object.pk.to_string(), name.to_owned());
        Ok(())
    }

    fn user(&self, fields: &Value) -> Result<ImportRow, String> {
        let text = |key| fields.get(key).and_then(Value::as_str).unwrap_or_default();
        let full = format!("{} {}", text("first_name"), text("last_name"));
        let name = [full.trim(), text("name"), text("username")];
        let name = name.into_iter().find(|name| !name.is_empty());
        let is_active = fields.get("is_active").and_then(Value::as_bool);
        let groups = fields.get("groups").and_then(Value::as_array);
        let roles = groups.into_iter().flatten().map(|group| self.role(group));
        Ok(ImportRow {
            email: address(text("email"), text("username")),
            name: name.unwrap_or_default().to_owned(),
            password_hash: text("password").to_owned(),
            roles: roles.collect::<Result<_, _>>()?,
            state: match is_active {
                Some(false) => AccountState::Disabled,
                Some(true) | None => AccountState::Active,
            },
        })
    }

    /// The name of a group, by its number, or as a natural key.
    fn role(&self, group: &Value) -> Result<String, String> {
        if let Some([Value::String(name)]) = group.as_array().map(Vec::as_slice) {
            return Ok(name.clone());
        }
        let known = self.groups.get(&group.to_string()).cloned();
        known.ok_or_else(|| {
            "its group is not in the file: run `dumpdata auth.group auth.user`, or use `--ignore-roles`".to_owned()
        })
    }
}

/// The address; many applications have it as the user name alone.
pub(super) fn address(email: &str, username: &str) -> String {
    if email.is_empty() && username.contains('@') {
        return username.to_owned();
    }
    email.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> (Vec<Result<ImportRow, String>>, Result<(), String>) {
        let mut rows = Vec::new();
        let done = read(json.as_bytes(), "auth.user", &mut |row| {
            rows.push(row.row);
            true
        });
        (rows, done)
    }

    #[test]
    fn users_are_read_with_the_names_of_their_groups() {
        let (rows, done) = rows(
            r#"[{"model": "auth.group", "pk": 4, "fields": {"name": "reviewer", "permissions": []}},
            {"model": "auth.user", "pk": 1, "fields": {"username": "ada@example.org", "first_name": "Ada", "last_name": "Byron",
                "email": "", "password": "!x", "is_active": false, "is_superuser": true, "groups": [4, ["member"]]}},
            {"model": "auth.user", "pk": 2, "fields": {"username": "bob", "email": "bob@example.org", "password": "",
                "groups": [9]}}]"#,
        );
        done.unwrap();
        let ada = rows[0].as_ref().unwrap();
        assert_eq!(
            (ada.email.as_str(), ada.name.as_str()),
            ("ada@example.org", "Ada Byron")
        );
        assert_eq!(
            ada.roles,
            ["reviewer", "member"],
            "a superuser is no administrator here"
        );
        assert_eq!(ada.state, AccountState::Disabled);
        assert!(rows[1].as_ref().unwrap_err().contains("auth.group"));
    }

    #[test]
    fn an_endless_object_and_what_is_no_dump_end_the_reading() {
        let long = "x".repeat(300 * 1024);
        for wrong in [
            format!(r#"[{{"model": "auth.user", "fields": {{"email": "{long}"}}}}]"#),
            r#"{"model": "auth.user"}"#.to_owned(),
            "[] []".to_owned(),
            "email,password_hash".to_owned(),
            "[".repeat(5_000),
        ] {
            assert!(
                rows(&wrong).1.is_err(),
                "{}",
                wrong.chars().take(40).collect::<String>()
            );
        }
        let many = format!(
            r#"[{}{{"model": "auth.user", "fields": {{}}}}]"#,
            r#"{"model": "x.y", "fields": {"a": "0123456789"}}, "#.repeat(9_000)
        );
        assert!(rows(&many).1.is_ok(), "the bound is on one object");
    }
}
