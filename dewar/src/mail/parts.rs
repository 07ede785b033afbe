//! The text of a letter with attachments, in parts: each is sealed for its letter and its place.

use super::queue::Claimed;
use crate::database::{self, Db, Sealed, SealedColumn, Tx};
use crate::secrets::{self, KeyRing};

/// The parts of letters that were not sent.
pub(crate) const PARTS: SealedColumn =
    SealedColumn::new("dewar_letter_parts", "content").bound_to("id");

/// The most bytes of a part.
const PART: usize = 96 * 1024;

/// A part of a letter.
#[derive(Debug)]
pub(super) struct Part {
    id: String,
    content: Sealed,
}

fn id_of(letter: &str, part: usize) -> String {
    format!("{letter}-{part}")
}

/// Seals a message, which is ASCII, in parts.
pub(super) fn seal(
    ring: &KeyRing,
    letter: &str,
    message: &str,
) -> Result<Vec<Part>, secrets::Error> {
    let pieces = message.as_bytes().chunks(PART).enumerate();
    let parts = pieces.map(|(number, piece)| {
        let id = id_of(letter, number);
        let content = PARTS.seal(ring, &id, &String::from_utf8_lossy(piece))?;
        Ok(Part { id, content })
    });
    parts.collect()
}

/// Stores the parts of a letter.
pub(super) async fn add(tx: &Tx, letter: &str, parts: Vec<Part>) -> Result<(), database::Error> {
    let add = "INSERT INTO dewar_letter_parts (id, letter, part, content) VALUES (?, ?, ?, ?)";
    for (number, part) in parts.into_iter().enumerate() {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let values = [
            part.id.into(),
            letter.into(),
            number.into(),
            part.content.into(),
        ];
        tx.execute(add, values).await?;
    }
    Ok(())
}

/// The message of a letter in parts; none if a part does not open here, or is missing.
pub(super) async fn open(
    db: &Db,
    ring: &KeyRing,
    letter: &Claimed,
) -> Result<Option<String>, database::Error> {
    let find = "SELECT content FROM dewar_letter_parts WHERE letter = ? ORDER BY part";
    let rows = db.query(find, [letter.id.as_str().into()]).await?;
    let size = usize::try_from(letter.size).unwrap_or(0);
    let mut message = String::with_capacity(size);
    for (number, row) in rows.iter().enumerate() {
        let content: Sealed = row.get(0)?;
        let opened = PARTS.open(ring, id_of(&letter.id, number), &content);
        let Ok(opened) = opened else {
            return Ok(None);
        };
        message.push_str(opened.expose());
    }
    Ok((message.len() == size).then_some(message))
}

/// Removes the parts of a letter.
pub(super) async fn remove(tx: &Tx, letter: &str) -> Result<(), database::Error> {
    let remove = "DELETE FROM dewar_letter_parts WHERE letter = ?";
    tx.execute(remove, [letter.into()]).await.map(drop)
}

/// Removes the parts of a letter that nobody can send any more.
pub(super) async fn remove_useless(tx: &Tx, letter: &str) -> Result<(), database::Error> {
    let remove = "DELETE FROM dewar_letter_parts WHERE letter = ?1
        AND EXISTS (SELECT 1 FROM dewar_letters WHERE id = ?1 AND size = 0)";
    tx.execute(remove, [letter.into()]).await.map(drop)
}
