use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// What an application publishes, by its name: the type says what each event holds.
///
/// An event says what changed, best by an id. It stands in the database for some minutes, where its text is not sealed, and
/// it reaches only those whose handler passes it on.
///
/// ```
/// use dewar::live::Topic;
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Decided { document: i64, approved: bool }
/// const DECIDED: Topic<Decided> = Topic::new("reviews-decided");
/// assert_eq!(DECIDED.of(7).to_string(), "reviews-decided/7");
/// ```
pub struct Topic<E> {
    name: &'static str,
    event: PhantomData<fn() -> E>,
}

impl<E> Topic<E> {
    /// The topic of this name. Two topics of one name are one.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            event: PhantomData,
        }
    }

    /// The part of the topic that is about one record, by its id: who watches it hears of this record alone.
    #[must_use]
    pub fn of(&self, id: i64) -> TopicName<E> {
        TopicName {
            name: format!("{}/{id}", self.name).into(),
            event: PhantomData,
        }
    }
}

/// The name of a topic, or of its part about one record; see [`Topic::of`].
///
/// ```
/// use dewar::live::{Topic, TopicName};
/// const TICKETS: Topic<i64> = Topic::new("tickets");
/// let of_all = TopicName::from(&TICKETS);
/// assert_eq!(of_all.to_string(), "tickets");
/// ```
pub struct TopicName<E> {
    name: Cow<'static, str>,
    event: PhantomData<fn() -> E>,
}

impl<E> TopicName<E> {
    pub(super) fn into_name(self) -> Cow<'static, str> {
        self.name
    }
}

impl<E> From<&Topic<E>> for TopicName<E> {
    fn from(topic: &Topic<E>) -> Self {
        Self {
            name: topic.name.into(),
            event: PhantomData,
        }
    }
}

impl<E> fmt::Display for TopicName<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl<E> fmt::Debug for TopicName<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TopicName({})", self.name)
    }
}

impl<E> fmt::Debug for Topic<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({})", self.name)
    }
}
