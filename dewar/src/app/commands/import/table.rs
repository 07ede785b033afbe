//! CSV files with the columns `email,name,password_hash,roles,active`.
use std::io::BufRead;

use super::SourceRow;
use super::csv::Records;
use crate::accounts::{AccountState, ImportRow};

const COLUMNS: [&str; 5] = ["email", "name", "password_hash", "roles", "active"];

/// Where each column stands.
type Places = [Option<usize>; 5];

/// Reads the rows of a file, and passes each on until the receiver has gone.
///
/// # Errors
/// The file cannot be read, or its first line does not name the columns.
pub(super) fn read(
    input: impl BufRead,
    send: &mut dyn FnMut(SourceRow) -> bool,
) -> Result<(), String> {
    let mut records = Records::new(input);
    let header = records.next()?.ok_or("the file is empty")?;
    let header = header.fields.map_err(|why| format!("line 1: {why}"))?;
    let places = places(&header)?;
    while let Some(record) = records.next()? {
        let row = record.fields.map_err(str::to_owned);
        let sent = send(SourceRow {
            place: format!("line {}", record.line),
            position: record.position,
            row: row.and_then(|fields| parse(&fields, header.len(), places)),
        });
        if !sent {
            return Ok(());
        }
    }
    Ok(())
}

fn places(header: &[String]) -> Result<Places, String> {
    let all = COLUMNS.join(", ");
    let mut places = [None; COLUMNS.len()];
    for (at, name) in header.iter().enumerate() {
        let column = COLUMNS
            .iter()
            .zip(&mut places)
            .find(|(column, _)| **column == name.trim());
        // A column that Dewar does not know may decide something, so it is not skipped.
        let (_, place) = column.ok_or(format!(
            "line 1: {:?} is no column; the columns are: {all}",
            name.chars().take(40).collect::<String>()
        ))?;
        if place.replace(at).is_some() {
            return Err(format!("line 1: the column {name} stands there twice"));
        }
    }
    let [Some(_), _, Some(_), ..] = places else {
        return Err(format!(
            "line 1: `email` and `password_hash` are required; the columns are: {all}"
        ));
    };
    Ok(places)
}

fn parse(fields: &[String], columns: usize, places: Places) -> Result<ImportRow, String> {
    if fields.len() != columns {
        return Err(format!(
            "it has {} fields instead of {columns}",
            fields.len()
        ));
    }
    let text = places.map(|place| {
        place
            .and_then(|at| fields.get(at))
            .map_or("", String::as_str)
    });
    let [email, name, password_hash, roles, active] = text;
    let roles = roles
        .split('|')
        .map(str::trim)
        .filter(|role| !role.is_empty());
    Ok(ImportRow {
        email: email.to_owned(),
        name: name.to_owned(),
        password_hash: password_hash.to_owned(),
        roles: roles.map(str::to_owned).collect(),
        state: match active.trim().to_ascii_lowercase().as_str() {
            "" | "1" | "t" | "true" => AccountState::Active,
            "0" | "f" | "false" => AccountState::Disabled,
            _ => return Err("`active` is not true or false".to_owned()),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<Result<ImportRow, String>>, String> {
        let mut rows = Vec::new();
        read(text.as_bytes(), &mut |row| {
            rows.push(row.row);
            true
        })?;
        Ok(rows)
    }

    #[test]
    fn columns_stand_in_any_order_and_an_unknown_one_is_named() {
        let all = rows(
            "password_hash,roles,email,active\nh,a| b|,x@example.org,False\nh,,y@example.org\n",
        )
        .unwrap();
        let first = all[0].as_ref().unwrap();
        assert_eq!(
            (first.email.as_str(), first.password_hash.as_str()),
            ("x@example.org", "h")
        );
        assert_eq!(
            (first.roles.as_slice(), first.state),
            (
                ["a".to_owned(), "b".to_owned()].as_slice(),
                AccountState::Disabled
            )
        );
        assert!(
            all[1]
                .as_ref()
                .unwrap_err()
                .contains("3 fields instead of 4")
        );
        for (header, part) in [
            ("email,password_hash,is_admin", "\"is_admin\""),
            ("email,name", "required"),
            ("email,email,password_hash", "twice"),
            ("", "empty"),
        ] {
            let told = rows(&format!("{header}\n")).unwrap_err();
            assert!(told.contains(part), "{header}: {told}");
        }
    }
}
