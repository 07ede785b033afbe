use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::sync::Arc;

use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::Error;
use crate::pages::Message;

/// The most bytes of a picked value.
const MOST: usize = 64;

/// One of the records that a handler offers: like a [`Choice`](super::Choice), for rows of the database.
///
/// The sent value is only a claim, and nothing exposes its text. [`Offered::chosen`] returns the record, if the handler offered
/// it to this visitor. Any other value is refused and logged as a security event (insecure direct object reference, CWE-639).
///
/// ```
/// use dewar::forms::{Line, Offered, Pick};
/// use dewar::{Form, Page, Redirect};
/// #[derive(Clone)]
/// struct Shelf { id: i64, name: String }
/// #[derive(Form)]
/// struct NewBook { title: Line<80>, shelf: Pick<Shelf> }
/// # async fn shelves_of_this_visitor() -> Vec<Shelf> { Vec::new() }
///
/// async fn new() -> Page {
///     let shelves = Offered::new(shelves_of_this_visitor().await, |shelf| (shelf.id, shelf.name.clone()));
///     Page::new("books/new.html").form("form", NewBook::view().offer(NewBook::SHELF, &shelves))
/// }
/// async fn create(form: Form<NewBook>) -> dewar::Result<Redirect> {
///     let shelves = Offered::new(shelves_of_this_visitor().await, |shelf| (shelf.id, shelf.name.clone()));
///     let book = form.offer(NewBook::SHELF, &shelves).or_rerender("books/new.html")?;
///     let shelf: &Shelf = shelves.chosen(&book.shelf)?;
///     Ok(Redirect::to("/books").flash(format!("“{}” stands on {}.", book.title, shelf.name)))
/// }
/// ```
///
/// The code cannot get around the offer:
/// ```compile_fail
/// # use dewar::forms::Pick;
/// fn shelf(pick: &Pick<i64>) -> String { pick.to_string() }
/// ```
pub struct Pick<T> {
    claimed: String,
    record: PhantomData<fn() -> T>,
}

impl<T: 'static> Field for Pick<T> {
    const KIND: FieldKind = FieldKind::picked();

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        match raw {
            RawValue::Absent | RawValue::Text("") => {
                Err(Problem::new(Message::new("forms-choose-one")))
            }
            RawValue::Text(text) if text.len() <= MOST => Ok(Self {
                claimed: text.to_owned(),
                record: PhantomData,
            }),
            RawValue::Text(_) | RawValue::File(_) | RawValue::Many(_) => {
                Err(Problem::not_offered())
            }
        }
    }

    fn show(&self) -> FormValue {
        FormValue::text(&self.claimed)
    }
}

impl<T> fmt::Debug for Pick<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pick")
    }
}

impl<T> PartialEq for Pick<T> {
    fn eq(&self, other: &Self) -> bool {
        self.claimed == other.claimed
    }
}

/// The records that a handler offers for a [`Pick`], each with the value that the form sends and the words that the user reads.
///
/// ```
/// use dewar::forms::{Field, Offered, Pick, RawValue};
/// let offered = Offered::new(vec!["Berlin", "Bern"], |city| (city.to_lowercase(), city.to_string()));
/// let bern = Pick::parse(RawValue::Text("bern")).unwrap();
/// assert_eq!(offered.chosen(&bern).ok(), Some(&"Bern"));
/// assert!(offered.chosen(&Pick::parse(RawValue::Text("Paris")).unwrap()).is_err());
/// ```
#[derive(Debug, Clone)]
pub struct Offered<T> {
    records: Vec<T>,
    pub(super) offers: Offers,
}

/// Values and words, shared by all forms that show them.
pub(super) type Offers = Arc<[(String, String)]>;

impl<T> Offered<T> {
    /// Offers records; `describe` returns the value and the words of each.
    pub fn new<V: Display, L: Display>(records: Vec<T>, describe: impl Fn(&T) -> (V, L)) -> Self {
        let offers = records.iter().map(|record| {
            let (value, label) = describe(record);
            (value.to_string(), label.to_string())
        });
        Self {
            offers: offers.collect(),
            records,
        }
    }

    /// The picked record.
    ///
    /// # Errors
    /// 400 if it is none of these. [`Form::offer`](super::Form::offer) shows the visitor the problem before that.
    pub fn chosen(&self, pick: &Pick<T>) -> Result<&T, Error> {
        let place = self
            .offers
            .iter()
            .position(|(value, _)| *value == pick.claimed);
        place
            .and_then(|place| self.records.get(place))
            .ok_or_else(|| Error::bad_request(Problem::not_offered().words().clone()))
    }

    /// One of these records as a pick, to fill a form with.
    pub fn pick(&self, is: impl Fn(&T) -> bool) -> Option<Pick<T>> {
        let place = self.records.iter().position(is)?;
        self.offers.get(place).map(|(value, _)| Pick {
            claimed: value.clone(),
            record: PhantomData,
        })
    }

    /// Whether the offer is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_picked_by_what_it_is_and_chosen_by_its_pick() {
        let cities = [(1, "Bern"), (7, "Berlin")];
        let offered = Offered::new(cities.to_vec(), |(id, name)| (*id, *name));
        let berlin = offered.pick(|(_, name)| *name == "Berlin").unwrap();
        assert_eq!(offered.chosen(&berlin).unwrap(), &(7, "Berlin"));
        assert!(offered.pick(|(_, name)| *name == "Basel").is_none());
        let others = Offered::new(vec![(8, "Basel")], |(id, name)| (*id, *name));
        assert!(others.chosen(&berlin).is_err());
        assert!(!offered.is_empty());
        assert!(Offered::<u8>::new(vec![], |it| (*it, *it)).is_empty());
    }
}
