use serde::Serialize;
use serde::de::DeserializeOwned;

use super::store::{StoredValue, ValueWrite, WriteOutcome};
use super::{Error, Session, SessionId};
use crate::secrets::random;

/// The most values of a session.
const MOST: usize = 16;
/// The largest size of a value, as JSON.
const LARGEST: usize = 16 * 1024;
/// How often a change is tried again if another request was first.
const TRIES: usize = 20;

/// A value that a session stores for the application, such as a basket or the step of a form in several parts.
///
/// Dewar reads it only when a handler requests it. It ends with the session: at sign-out, and at a new sign-in.
///
/// ```
/// use dewar::sessions::{Session, SessionValue};
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// struct Basket { titles: Vec<String> }
/// impl SessionValue for Basket { const NAME: &'static str = "basket"; }
///
/// async fn put(session: Session, title: String) -> dewar::Result<usize> {
///     // May run again where another request was first, so that nothing is lost.
///     Ok(session.update(|basket: &mut Option<Basket>| {
///         let basket = basket.get_or_insert_default();
///         basket.titles.push(title.clone());
///         basket.titles.len()
///     }).await?)
/// }
/// ```
pub trait SessionValue: Serialize + DeserializeOwned + Send + Sync {
    /// Its name among the session's values, of at most 64 bytes.
    const NAME: &'static str;
}

impl Session {
    /// A value of this session. A visitor has none.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn value<V: SessionValue>(&self) -> Result<Option<V>, Error> {
        let Some(id) = self.id() else {
            return Ok(None);
        };
        Ok(self.read::<V>(id).await?.and_then(|(_, value)| value))
    }

    /// Changes a value of this session. The closure gets the stored value, and Dewar stores what it leaves there. If
    /// another request was first, the closure runs again, so no change is lost.
    ///
    /// # Errors
    /// [`Error::Visitor`]; [`Error::Ended`] if the session ended meanwhile; [`Error::TooLarge`]; [`Error::TooMany`];
    /// [`Error::Contended`]; or the store cannot be written.
    pub async fn update<V: SessionValue, R: Send>(
        &self,
        change: impl FnMut(&mut Option<V>) -> R + Send,
    ) -> Result<R, Error> {
        self.update_within(MOST, change).await
    }

    /// The same for a value of the framework, which has a place in addition to all of the application's.
    pub(crate) async fn update_own<V: SessionValue, R: Send>(
        &self,
        change: impl FnMut(&mut Option<V>) -> R + Send,
    ) -> Result<R, Error> {
        self.update_within(MOST + 1, change).await
    }

    async fn update_within<V: SessionValue, R: Send>(
        &self,
        most: usize,
        mut change: impl FnMut(&mut Option<V>) -> R + Send,
    ) -> Result<R, Error> {
        let id = self.id().ok_or(Error::Visitor)?;
        for _ in 0..TRIES {
            let (before, mut value) = match self.read::<V>(id).await? {
                Some((version, value)) => (Some(version), value),
                None => (None, None),
            };
            let result = change(&mut value);
            let after = value.as_ref().map(written).transpose()?;
            let change = ValueWrite {
                before,
                after,
                most,
            };
            match self.sessions().store().keep(id, V::NAME, &change).await? {
                WriteOutcome::Written => return Ok(result),
                WriteOutcome::Changed => {}
                WriteOutcome::Ended => return Err(Error::Ended),
                WriteOutcome::Full => return Err(Error::TooMany(most)),
            }
        }
        Err(Error::Contended)
    }

    async fn read<V: SessionValue>(
        &self,
        id: &SessionId,
    ) -> Result<Option<(i64, Option<V>)>, Error> {
        const {
            assert!(
                V::NAME.len() <= 64,
                "the name of a session value is too long"
            )
        };
        let Some(kept) = self.sessions().store().value(id, V::NAME).await? else {
            return Ok(None);
        };
        // Another version of the program wrote it in another form: it counts as none.
        let value = serde_json::from_str(&kept.json).inspect_err(
            |error| tracing::warn!(%error, name = V::NAME, "cannot deserialize a session value"),
        );
        Ok(Some((kept.version, value.ok())))
    }
}

fn written<V: SessionValue>(value: &V) -> Result<StoredValue, Error> {
    let json = serde_json::to_string(value)?;
    if json.len() > LARGEST {
        return Err(Error::TooLarge {
            size: json.len(),
            most: LARGEST,
        });
    }
    Ok(StoredValue {
        // Without the sign bit, which not every store treats alike.
        version: i64::from_be_bytes(random::<8>()) & i64::MAX,
        json,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    impl SessionValue for String {
        const NAME: &'static str = "text";
    }

    /// If a value is changed twice at the same moment, only the version stops the second change.
    #[test]
    fn no_two_versions_of_a_value_are_the_same() {
        let versions = (0..64).map(|_| written(&"same".to_owned()).unwrap().version);
        let versions: std::collections::BTreeSet<i64> = versions.collect();
        assert_eq!(versions.len(), 64);
        assert!(versions.iter().all(|version| *version >= 0));
    }
}
