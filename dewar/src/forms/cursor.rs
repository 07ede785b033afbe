use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};

use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::{Error, Message, Paged, Position};
use crate::secrets::{KeyRing, Purpose};

/// The most characters of a cursor.
const MOST: usize = 4_000;

/// The position where a page of a list begins (keyset pagination), in the query of a link. It is sealed, so no name and no title
/// stands in an address, and nobody can forge one. A [`Keyset`] opens it.
///
/// ```
/// use dewar::Form;
/// use dewar::forms::{Cursor, Line};
/// #[derive(Form)]
/// struct Filter { q: Option<Line<80>>, page: Option<Cursor> }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

impl Field for Cursor {
    const KIND: FieldKind = FieldKind::line(MOST);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        raw.line(MOST).map(Self)
    }

    fn show(&self) -> FormValue {
        FormValue::text(&self.0)
    }
}

/// The sort order of a list (keyset pagination): makes the cursors of its links, and opens them.
///
/// `K` is the sort key. The id comes last, so that no two rows have the same key. A cursor of another order or another list, and
/// one that was changed or sealed with a revoked key, gets a 400 that says so. A cursor names values and no column.
///
/// ```
/// use dewar::forms::{Cursor, Keyset, Query};
/// use dewar::pages::{Paged, Position};
/// use dewar::secrets::KeyRing;
/// use dewar::{App, Db, Form, Page, get};
///
/// const NEWEST: Keyset<i64> = Keyset::new("notes, the newest first");
/// const SIZE: usize = 20;
///
/// #[derive(Form)]
/// struct Which { page: Option<Cursor> }
///
/// async fn list(db: Db, keys: KeyRing, Query(which): Query<Which>) -> dewar::Result<Page> {
///     let place = NEWEST.open(&keys, which.page.as_ref())?;
///     let page = Paged::read(place, SIZE, |at| read(&db, at)).await?;
///     let links = NEWEST.links(&keys, &page, |(id, _)| *id)?;
///     let address = |cursor: String| format!("/notes?page={cursor}"); // of letters, digits, `.`, `-` and `_`
///     Ok(Page::new("notes.html")
///         .with("previous", links.previous.map(address))
///         .with("next", links.next.map(address))
///         .with("notes", page.rows))
/// }
///
/// async fn read(db: &Db, at: Position<i64>) -> dewar::Result<Vec<(i64, String)>> {
///     let sql = if at.is_backwards() {
///         "SELECT id, title FROM notes WHERE id > ?1 ORDER BY id LIMIT 21"
///     } else {
///         "SELECT id, title FROM notes WHERE id < ?1 ORDER BY id DESC LIMIT 21"
///     };
///     let rows = db.query(sql, [at.key().copied().unwrap_or(i64::MAX).into()]).await?;
///     rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
/// }
/// fn notes(app: App) -> App { app.public([get("/notes", list)]) }
/// ```
#[derive(Debug)]
pub struct Keyset<K> {
    name: &'static str,
    key: PhantomData<fn() -> K>,
}

/// The cursors of the previous and the next page.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[non_exhaustive]
pub struct PageLinks {
    /// The cursor of the previous page.
    pub previous: Option<String>,
    /// The cursor of the next page.
    pub next: Option<String>,
}

impl<K> Keyset<K> {
    /// An order with this name. No other order of the application has the same name.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            key: PhantomData,
        }
    }
}

impl<K: Serialize + DeserializeOwned> Keyset<K> {
    /// Opens the cursor of a link; without one, the first page.
    ///
    /// # Errors
    /// 400 for a cursor that is damaged, of another order, or sealed with a revoked key.
    pub fn open(&self, keys: &KeyRing, cursor: Option<&Cursor>) -> Result<Position<K>, Error> {
        let Some(Cursor(sealed)) = cursor else {
            return Ok(Position::Start);
        };
        let damaged = || Error::bad_request(Message::new("forms-cursor"));
        let opened = keys
            .open(Purpose::Cursor, self.name.as_bytes(), sealed)
            .map_err(|_| damaged())?;
        serde_json::from_slice(&opened).map_err(|_| damaged())
    }

    /// Seals a position as the cursor of a link: letters, digits, `.`, `-` and `_`.
    ///
    /// # Errors
    /// 500 if the key cannot be serialized, such as a map whose keys are not text.
    pub fn seal(&self, keys: &KeyRing, place: &Position<K>) -> Result<String, Error> {
        let place = serde_json::to_vec(place).map_err(Error::internal)?;
        keys.seal(Purpose::Cursor, self.name.as_bytes(), &place)
            .map_err(Error::internal)
    }

    /// The cursors of the pages around one, made from the keys of its rows.
    ///
    /// # Errors
    /// Like [`seal`](Self::seal).
    pub fn links<T>(
        &self,
        keys: &KeyRing,
        page: &Paged<T>,
        key: impl Fn(&T) -> K,
    ) -> Result<PageLinks, Error> {
        let seal = |place: Option<Position<K>>| place.map(|at| self.seal(keys, &at)).transpose();
        Ok(PageLinks {
            previous: seal(page.previous(&key).map(Position::Before))?,
            next: seal(page.next(&key).map(Position::After))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::ErrorKind;

    const AGES: Keyset<(i64, i64)> = Keyset::new("by age");
    const TITLES: Keyset<(String, i64)> = Keyset::new("by title");

    fn cursor(text: &str) -> Cursor {
        Cursor::parse(RawValue::Text(text)).unwrap()
    }

    #[test]
    fn a_cursor_leads_to_the_place_that_it_was_made_for() {
        let keys = KeyRing::ephemeral();
        assert_eq!(AGES.open(&keys, None).unwrap(), Position::Start);
        for place in [
            Position::After(("Ä\u{202e}\"&".repeat(120), i64::MIN)),
            Position::Before((String::new(), 7)),
        ] {
            let sealed = TITLES.seal(&keys, &place).unwrap();
            assert!(
                sealed
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
            );
            assert_eq!(TITLES.open(&keys, Some(&cursor(&sealed))).unwrap(), place);
        }
        let page = Paged::at(&Position::After((9, 9)), vec![(8, 1), (7, 1)], 1);
        let links = AGES.links(&keys, &page, |row| *row).unwrap();
        let lead = |link: Option<String>| AGES.open(&keys, Some(&cursor(&link.unwrap()))).unwrap();
        assert_eq!(lead(links.previous), Position::Before((8, 1)));
        assert_eq!(lead(links.next), Position::After((8, 1)));
    }

    /// ASVS: V1.2.4, V2.2.1, V14.2.1
    #[test]
    fn a_cursor_that_was_made_up_or_is_of_another_order_is_a_400_that_says_so() {
        let keys = KeyRing::ephemeral();
        let sealed = AGES.seal(&keys, &Position::After((1, 2))).unwrap();
        assert!(AGES.open(&keys, Some(&cursor(&sealed))).is_ok());
        let other_type: Keyset<(String, i64)> = Keyset::new("by age");
        assert!(other_type.open(&keys, Some(&cursor(&sealed))).is_err());
        let hidden = keys.seal(Purpose::Hidden, b"by age", br#"{"After":[1,2]}"#);
        let short = sealed.get(..sealed.len() - 2).unwrap();
        for text in [
            short,
            "2",
            "x",
            r#"{"After":[1,2]}"#,
            "created_at DESC;--",
            &hidden.unwrap(),
            &TITLES.seal(&keys, &Position::Start).unwrap(),
            &AGES.seal(&KeyRing::ephemeral(), &Position::Start).unwrap(),
        ] {
            let error = AGES.open(&keys, Some(&cursor(text))).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadRequest, "{text}");
        }
        assert!(Cursor::parse(RawValue::Text(&"a".repeat(MOST + 1))).is_err());
    }
}
