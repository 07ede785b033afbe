use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use sea_orm::{EntityName, EntityTrait, IdenStatic, Iterable, ModelTrait};

use super::{Field, FieldKind, FormValue, Problem, RawValue, Received};
use crate::pages::{Error, ErrorKind, Message};

/// The version of the record that a page showed (optimistic locking), for a page that leads to a decision, a change or a
/// deletion.
///
/// The page carries it sealed, like a [`Hidden`](super::Hidden) value, for its form and its session. It is valid for one record
/// in one state: table, key and every column, so also the time of its creation, its version and the name of its file, whose bytes
/// never change. If the record was changed, if it was deleted and another one has its key, or if the value was sealed for another
/// record, [`check`](Self::check) refuses (CWE-367, CWE-639).
///
/// The record may also change between the check and the statement. Guard that with the statement's own conditions.
///
/// ```
/// # mod note {
/// #     use sea_orm::entity::prelude::*;
/// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
/// #     #[sea_orm(table_name = "notes")]
/// #     pub struct Model { #[sea_orm(primary_key)] pub id: i64, pub title: String }
/// #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)] pub enum Relation {}
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # }
/// use dewar::forms::RecordVersion;
/// use dewar::{Form, Page, Redirect};
/// #[derive(Form)]
/// struct Deletion { version: RecordVersion }
///
/// fn page(note: &note::Model) -> Page {
///     Page::new("delete.html").form("form", Deletion::view().fill(Deletion::VERSION, RecordVersion::of(note)))
/// }
/// fn delete(note: &note::Model, form: Form<Deletion>) -> dewar::Result<Redirect> {
///     form.or_rerender("delete.html")?.version.check(note)?; // 409 where it is not what the page showed
///     Ok(Redirect::to("/"))
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordVersion([u8; 32]);

/// The record is another one than the page showed, or has changed since.
///
/// ```
/// # use dewar::forms::RecordChanged;
/// let error = dewar::Error::from(RecordChanged);
/// assert_eq!(error.kind(), dewar::pages::ErrorKind::Conflict);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record changed after the page showed it")]
#[expect(clippy::exhaustive_structs, reason = "the error has only one cause")]
pub struct RecordChanged;

impl From<RecordChanged> for Error {
    fn from(_: RecordChanged) -> Self {
        Self::new(ErrorKind::Conflict).public(Message::new("forms-record-changed"))
    }
}

/// A record that a page can show and a user can decide about. Every SeaORM model is one.
///
/// ```
/// use dewar::forms::{Record, RecordVersion};
/// struct Seat { row: char, number: u8, taken: bool }
/// impl Record for Seat {
///     fn facts(&self) -> Vec<String> {
///         vec!["seats".into(), self.row.into(), self.number.to_string(), self.taken.to_string()]
///     }
/// }
/// let shown = RecordVersion::of(&Seat { row: 'B', number: 7, taken: false });
/// assert!(shown.check(&Seat { row: 'B', number: 7, taken: true }).is_err());
/// ```
pub trait Record {
    /// Its table, its key, and everything that a page may have shown of it.
    fn facts(&self) -> Vec<String>;
}

impl<M: ModelTrait> Record for M {
    fn facts(&self) -> Vec<String> {
        let table = M::Entity::default().table_name().to_owned();
        let columns = <M::Entity as EntityTrait>::Column::iter()
            .map(|column| format!("{}={:?}", column.as_str(), self.get(column)));
        std::iter::once(table).chain(columns).collect()
    }
}

impl RecordVersion {
    /// The version of the record in its current state, to fill a form with.
    #[must_use]
    pub fn of(record: &impl Record) -> Self {
        let mut context = Context::new(&SHA256);
        for fact in record.facts() {
            // Each fact comes with its length, so that two records never hash the same bytes.
            context.update(&(fact.len() as u64).to_be_bytes());
            context.update(fact.as_bytes());
        }
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }

    /// Checks that this is the record that the page showed, unchanged.
    ///
    /// # Errors
    /// [`RecordChanged`], which as an [`Error`] is a 409 that asks the user to look again.
    pub fn check(&self, record: &impl Record) -> Result<(), RecordChanged> {
        if *self == Self::of(record) {
            Ok(())
        } else {
            Err(RecordChanged)
        }
    }
}

impl fmt::Display for RecordVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl Field for RecordVersion {
    const KIND: FieldKind = FieldKind::hidden(Opened::KIND);

    /// Always refuses: its form opens it.
    fn parse(_raw: RawValue<'_>) -> Result<Self, Problem> {
        Err(Problem::altered())
    }

    fn show(&self) -> FormValue {
        FormValue::ToSeal(self.to_string())
    }

    fn take(from: &mut Received, name: &'static str) -> Option<Self> {
        from.take_sealed::<Opened>(name).map(|opened| opened.0)
    }
}

/// The unsealed version.
struct Opened(RecordVersion);

impl Field for Opened {
    const KIND: FieldKind = FieldKind::line(64);

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        let text = raw.line(64)?;
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(|bytes| Self(RecordVersion(bytes)))
            .ok_or_else(Problem::altered)
    }

    fn show(&self) -> FormValue {
        FormValue::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    mod note {
        use sea_orm::entity::prelude::*;
        #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
        #[sea_orm(table_name = "notes")]
        pub(super) struct Model {
            #[sea_orm(primary_key)]
            pub(super) id: i64,
            pub(super) title: Option<String>,
            pub(super) body: Option<String>,
            pub(super) created_at: i64,
        }
        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub(super) enum Relation {}
        impl ActiveModelBehavior for ActiveModel {}
    }

    fn note() -> note::Model {
        note::Model {
            id: 2,
            title: Some("Plan".to_owned()),
            body: None,
            created_at: 7,
        }
    }

    #[test]
    fn a_version_is_one_record_s_as_it_was() {
        let shown = RecordVersion::of(&note());
        assert_eq!(shown.check(&note()), Ok(()));
        let title = |text: Option<&str>| text.map(str::to_owned);
        for other in [
            note::Model { id: 3, ..note() },
            note::Model {
                created_at: 8,
                ..note()
            },
            note::Model {
                title: title(Some("plan")),
                ..note()
            },
            note::Model {
                title: None,
                body: title(Some("Plan")),
                ..note()
            },
            note::Model {
                body: title(Some("")),
                ..note()
            },
        ] {
            assert_eq!(shown.check(&other), Err(RecordChanged), "{other:?}");
        }
    }

    struct VersionedFields(&'static [&'static str]);

    impl Record for VersionedFields {
        fn facts(&self) -> Vec<String> {
            self.0.iter().map(|fact| (*fact).to_owned()).collect()
        }
    }

    /// Moving text from one fact to another changes the version, and so does another table.
    #[test]
    fn a_version_tells_facts_and_tables_apart() {
        let shown = RecordVersion::of(&VersionedFields(&["ab", "c"]));
        for other in [&["a", "bc"][..], &["abc"], &["ab", "c", ""], &["c", "ab"]] {
            assert_eq!(
                shown.check(&VersionedFields(other)),
                Err(RecordChanged),
                "{other:?}"
            );
        }
        let facts = note().facts();
        assert_eq!(facts.first().map(String::as_str), Some("notes"));
        assert_eq!(facts.len(), 5);
    }

    #[test]
    fn what_is_not_sealed_is_no_version() {
        let text = RecordVersion::of(&note()).to_string();
        assert!(RecordVersion::parse(RawValue::Text(&text)).is_err());
        for broken in ["", "00", &text.to_uppercase(), &format!("{text}0")] {
            assert!(Opened::parse(RawValue::Text(broken)).is_err(), "{broken}");
        }
        assert_eq!(
            Opened::parse(RawValue::Text(&text))
                .map(|opened| opened.0)
                .ok(),
            Some(RecordVersion::of(&note()))
        );
    }
}
