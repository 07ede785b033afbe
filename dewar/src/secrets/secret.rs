use std::fmt;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret value. It cannot be printed, compared or serialized, and is wiped from memory when dropped.
///
/// ```
/// use dewar::secrets::Secret;
/// let password = Secret::new(String::from("correct horse"));
/// assert_eq!(format!("{password:?}"), "[redacted]");
/// assert_eq!(password.expose().len(), 13);
/// ```
///
/// It cannot be printed by accident:
/// ```compile_fail
/// let secret = dewar::secrets::Secret::new(String::new());
/// println!("{secret}"); // Secret has no Display
/// ```
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Returns the value, for the one place that needs it.
    #[must_use]
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> ZeroizeOnDrop for Secret<T> {}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    struct Told<'a>(&'a Cell<bool>);

    impl Zeroize for Told<'_> {
        fn zeroize(&mut self) {
            self.0.set(true);
        }
    }

    #[test]
    fn a_secret_is_wiped_when_it_goes_and_not_before() {
        let wiped = Cell::new(false);
        let secret = Secret::new(Told(&wiped));
        assert!(!secret.expose().0.get());
        assert_eq!(format!("{secret:?}"), "[redacted]");
        drop(secret);
        assert!(wiped.get());
    }
}
