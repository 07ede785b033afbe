use std::ops::Deref;

use super::{
    Field, FieldKind, FieldSpec, FormValue, Model, Problem, RawValue, Received, UntypedProblems,
};
use crate::pages::Message;

/// From `MIN` to `MAX` rows, each a form of its own: the items of an order, the people of a trip.
///
/// A form sends a field of a row as `items.0.title`. Dewar skips empty rows, and the page always has one more row than the user
/// filled in, up to `MAX`, so the list needs no script. Dewar checks a row's own rule for each row.
///
/// A row has no file, `Pick` or `Hidden`, and lists nest at most three deep; more does not compile.
///
/// ```
/// use dewar::forms::{Int, Line, List};
/// use dewar::{Form, Redirect};
/// #[derive(Form)]
/// struct Item { title: Line<80>, count: Int<1, 99> }
/// #[derive(Form)]
/// struct Order { reference: Line<20>, items: List<Item, 1, 20> }
///
/// async fn order(form: Form<Order>) -> dewar::Result<Redirect> {
///     let order = form.or_rerender("orders/new.html")?;
///     let all: i64 = order.items.iter().map(|item| item.count.get()).sum();
///     Ok(Redirect::to("/orders").flash(format!("{all} pieces for {}", order.reference)))
/// }
/// ```
///
/// `Form<List<T, MIN, MAX>>` reads a body that is an array itself, from `application/json` alone. Each problem names its entry:
///
/// ```
/// use dewar::forms::{Int, Line, List};
/// use dewar::pages::Json;
/// use dewar::{Form, post};
/// #[derive(Form)]
/// struct Reading { sensor: Line<40>, celsius: Int<-90, 60> }
///
/// async fn add(form: Form<List<Reading, 1, 100>>) -> dewar::Result<Json<usize>> {
///     let readings = form.or_reject()?; // 422: "errors": [{ "pointer": "#/3/celsius", "code": "range", … }]
///     Ok(Json(readings.len()))
/// }
/// # let route: dewar::app::Route = post("/api/readings", add);
/// # drop(route);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T, const MIN: usize, const MAX: usize>(Vec<T>);

impl<T, const MIN: usize, const MAX: usize> List<T, MIN, MAX> {
    /// Rows, to fill a form with.
    ///
    /// # Errors
    /// Too few, or too many.
    pub fn new(rows: Vec<T>) -> Result<Self, Problem> {
        if rows.len() < MIN {
            Err(Problem::new(
                Message::new("forms-list-at-least").with("min", MIN),
            ))
        } else if rows.len() > MAX {
            Err(Problem::new(
                Message::new("forms-list-at-most").with("max", MAX),
            ))
        } else {
            Ok(Self(rows))
        }
    }

    /// The rows.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MIN: usize, const MAX: usize> Deref for List<T, MIN, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// The name of the only field of a body that is an array.
const ARRAY: &str = "";

/// The list, if these fields are those of a body that is an array.
pub(super) const fn array(fields: &[FieldSpec]) -> Option<&FieldSpec> {
    match fields {
        [only] if only.name.is_empty() => Some(only),
        _ => None,
    }
}

/// A body that is an array: it has one list, which has no name.
impl<T: Model, const MIN: usize, const MAX: usize> Model for List<T, MIN, MAX> {
    const NAME: &'static str = T::NAME;
    const FIELDS: &'static [FieldSpec] = &[FieldSpec::new(ARRAY, "", <Self as Field>::KIND)];

    fn read(from: &mut Received) -> Option<Self> {
        <Self as Field>::take(from, ARRAY)
    }

    fn show(&self) -> Vec<FormValue> {
        vec![Field::show(self)]
    }
}

impl<T: Model, const MIN: usize, const MAX: usize> Field for List<T, MIN, MAX> {
    const KIND: FieldKind = FieldKind::list(T::FIELDS, MIN, MAX);

    /// Always refused: the form reads a list row by row.
    fn parse(_raw: RawValue<'_>) -> Result<Self, Problem> {
        Err(Problem::missing())
    }

    fn show(&self) -> FormValue {
        FormValue::Rows(self.0.iter().map(T::show).collect())
    }

    fn take(from: &mut Received, name: &'static str) -> Option<Self> {
        from.take_rows(name, |row| {
            let read = T::read(row).filter(|_| row.is_right())?;
            match read.check() {
                Ok(()) => Some(read),
                Err(problems) => {
                    row.refuse(problems.untyped());
                    None
                }
            }
        })
        .and_then(|rows| match Self::new(rows) {
            Ok(list) => Some(list),
            Err(problem) => {
                from.refuse(UntypedProblems::at(name, problem));
                None
            }
        })
    }
}
