use std::future::Future;

use serde::{Deserialize, Serialize};

/// The beginning of a page of a list: a key, not a number of rows, so the hundredth page costs as much as the first
/// (keyset pagination).
///
/// `K` is the sort key of the list, with the id last, so that no two rows have the same key. A link carries it as a
/// [`Cursor`](crate::forms::Cursor).
///
/// ```
/// use dewar::pages::Position;
/// /// The newest first.
/// const fn statement(at: &Position<i64>) -> &'static str {
///     match at {
///         Position::Before(_) => "SELECT id, title FROM notes WHERE id > ?1 ORDER BY id LIMIT 21",
///         _ => "SELECT id, title FROM notes WHERE id < ?1 ORDER BY id DESC LIMIT 21",
///     }
/// }
/// assert!(statement(&Position::Start).ends_with("DESC LIMIT 21"));
/// assert_eq!(Position::After(7).key(), Some(&7));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a position has only these three directions"
)]
pub enum Position<K> {
    /// The first page.
    Start,
    /// The page after the row with this key.
    After(K),
    /// The page that ends before the row with this key. Read its rows backwards, from that key on.
    Before(K),
}

impl<K> Position<K> {
    /// The key, of any page but the first.
    pub const fn key(&self) -> Option<&K> {
        match self {
            Self::Start => None,
            Self::After(key) | Self::Before(key) => Some(key),
        }
    }

    /// Whether the rows are read backwards, from the key towards the beginning of the list.
    pub const fn is_backwards(&self) -> bool {
        matches!(self, Self::Before(_))
    }
}

/// A page of a list, cut from its rows. Query one row more than the page shows: it proves that the list continues.
///
/// ```
/// use dewar::pages::{Paged, Position};
/// let page = Paged::of(vec![9, 7, 4], 2); // of `… ORDER BY id DESC LIMIT 3`
/// assert_eq!(page.rows, [9, 7]);
/// assert_eq!(page.next(|id| *id), Some(7)); // the next page: those below 7
/// let page = Paged::at(&Position::After(7), vec![4], 2); // of `… WHERE id < 7 ORDER BY id DESC LIMIT 3`
/// assert_eq!((page.previous(|id| *id), page.next(|id| *id)), (Some(4), None));
/// let page = Paged::at(&Position::Before(4), vec![7, 9], 2); // of `… WHERE id > 4 ORDER BY id LIMIT 3`
/// assert_eq!((page.rows, page.earlier), (vec![9, 7], false));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Paged<T> {
    /// The rows of the page.
    pub rows: Vec<T>,
    /// Whether more rows follow.
    pub more: bool,
    /// Whether rows come before these.
    pub earlier: bool,
}

impl<T> Paged<T> {
    /// The first page: at most `size` of these rows; further ones mean that another page follows.
    #[must_use]
    pub fn of(rows: Vec<T>, size: usize) -> Self {
        Self::at(&Position::<()>::Start, rows, size)
    }

    /// The page at a position: at most `size` of these rows, in the order in which they were read there.
    #[must_use]
    pub fn at<K>(place: &Position<K>, mut rows: Vec<T>, size: usize) -> Self {
        let beyond = rows.len() > size;
        rows.truncate(size);
        let (earlier, more) = match place {
            Position::Start => (false, beyond),
            Position::After(_) => (true, beyond),
            Position::Before(_) => {
                rows.reverse();
                (beyond, true)
            }
        };
        Self {
            rows,
            more,
            earlier,
        }
    }

    /// The page at a position, with rows from `read`. If that position has become the beginning of the list, or has no
    /// rows left, it reads the first page instead: an old link never leads to a page that is empty or cut short.
    ///
    /// ```
    /// use dewar::pages::{Paged, Position};
    /// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
    /// let read = |at: Position<u32>| async move {
    ///     Ok::<_, std::convert::Infallible>(match at {
    ///         Position::Start => vec![9, 7, 4],
    ///         Position::After(key) => [9, 7, 4].into_iter().filter(|id| *id < key).collect(),
    ///         Position::Before(key) => [4, 7, 9].into_iter().filter(|id| *id > key).collect(),
    ///     })
    /// };
    /// assert_eq!(Paged::read(Position::After(7), 2, read).await?.rows, [4]);
    /// assert_eq!(Paged::read(Position::Before(7), 2, read).await?.rows, [9, 7]);
    /// assert_eq!(Paged::read(Position::After(4), 2, read).await?.rows, [9, 7]);
    /// # Ok::<(), std::convert::Infallible>(()) })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn read<K, E, R, F>(place: Position<K>, size: usize, read: R) -> Result<Self, E>
    where
        K: Clone,
        R: Fn(Position<K>) -> F,
        F: Future<Output = Result<Vec<T>, E>>,
    {
        let page = Self::at(&place, read(place.clone()).await?, size);
        let is_short = match place {
            Position::Start => false,
            Position::After(_) => page.rows.is_empty(),
            Position::Before(_) => !page.earlier,
        };
        if is_short {
            return Ok(Self::of(read(Position::Start).await?, size));
        }
        Ok(page)
    }

    /// The key of the last row, if the list continues.
    pub fn next<K>(&self, key: impl FnOnce(&T) -> K) -> Option<K> {
        self.rows.last().filter(|_| self.more).map(key)
    }

    /// The key of the first row, if rows come before it.
    pub fn previous<K>(&self, key: impl FnOnce(&T) -> K) -> Option<K> {
        self.rows.first().filter(|_| self.earlier).map(key)
    }
}
