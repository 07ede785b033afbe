use serde::Serialize;

/// A page of a list, cut from its rows: ask for one more than is shown, and that one says whether the list goes on.
///
/// Where it goes on is said by the last row's key and not by a number of rows, so that the hundredth page costs what the
/// first does: `WHERE (created_at, id) < (?1, ?2) ORDER BY created_at DESC, id DESC LIMIT 51`, with an index on the two.
///
/// ```
/// use dewar::pages::Paged;
/// let page = Paged::of(vec![9, 7, 4], 2); // of `… WHERE id < ? ORDER BY id DESC LIMIT 3`
/// assert_eq!(page.rows, [9, 7]);
/// assert_eq!(page.next(|id| *id), Some(7)); // the next page: those below 7
/// assert_eq!(Paged::of(vec![4], 2).next(|id| *id), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Paged<T> {
    /// The rows that are shown.
    pub rows: Vec<T>,
    /// Whether there are more.
    pub more: bool,
}

impl<T> Paged<T> {
    /// At most `size` of these rows; more of them say that there is another page.
    #[must_use]
    pub fn of(mut rows: Vec<T>, size: usize) -> Self {
        let more = rows.len() > size;
        rows.truncate(size);
        Self { rows, more }
    }

    /// The key of the last row, where the list goes on.
    pub fn next<K>(&self, key: impl FnOnce(&T) -> K) -> Option<K> {
        self.rows.last().filter(|_| self.more).map(key)
    }
}
