//! The types that a setting of an application can have.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::parse::{bytes, duration, show_bytes};
use super::section::checked_line;

/// The type of a setting's value: how its text is read.
///
/// Types with rules have it: [`Duration`], [`ByteSize`], `bool`, whole numbers, [`String`] (one line), [`PathBuf`],
/// addresses, [`Email`](crate::forms::Email), [`Url`](crate::forms::Url), [`Line`](crate::forms::Line),
/// [`Network`](crate::https::Network) and enums with `#[derive(Choices)]`. A type of the application's own can have it too.
///
/// ```
/// use dewar::audit::SettingValue;
/// #[derive(Clone)]
/// struct TicketPrefix(String);
/// impl SettingValue for TicketPrefix {
///     fn right() -> String { "two to four capital letters".to_owned() }
///     fn parse(text: &str) -> Option<Self> {
///         let fits = (2..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase());
///         fits.then(|| Self(text.to_owned()))
///     }
/// }
/// #[derive(dewar::Settings)]
/// #[settings(section = "tickets")]
/// struct Tickets {
///     /// The letters before the number of a ticket.
///     #[setting(default = "HD")]
///     prefix: TicketPrefix,
/// }
/// fn app(app: dewar::App) -> dewar::App { app.settings::<Tickets>() }
/// # let app = app(dewar::App::in_directory(std::env::temp_dir())?);
/// # Ok::<(), dewar::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the type of a setting",
    note = "a time: `Duration`; a size: `dewar::audit::ByteSize`; one of a few words: an enum with `#[derive(Choices)]`",
    note = "a password or a token: `Secret<String>`, whose setting names a file",
    note = "several values: `Vec<T>`; a value that may be missing: `Option<T>`",
    note = "a type of your own: implement `dewar::audit::SettingValue` for it"
)]
pub trait SettingValue: Sized + Send + Sync + 'static {
    /// Whether `dewar.toml` writes the value without quotes, as it does a number, `true` and `false`.
    const UNQUOTED: bool = false;

    /// The allowed values, as the end of the sentence "Write …".
    fn right() -> String;

    /// Reads a text; `None` if it is not allowed.
    fn parse(text: &str) -> Option<Self>;

    /// Whether this value is at most another one. A type with a [`BoundedValue`] says it.
    fn at_most(&self, _other: &Self) -> bool {
        true
    }
}

/// A value with an order, so that a setting can have `min` and `max`. Its [`at_most`](SettingValue::at_most) compares.
///
/// ```
/// use dewar::audit::BoundedValue;
/// fn has_bounds<T: BoundedValue>() {}
/// has_bounds::<std::time::Duration>();
/// ```
#[diagnostic::on_unimplemented(
    message = "a setting of the type `{Self}` has no `min` and `max`",
    note = "times, sizes and whole numbers have an order; for another rule, give the type a `SettingValue` of its own"
)]
pub trait BoundedValue {}

/// A number of bytes, written with its unit: `"800B"`, `"512KiB"`, `"10MiB"`, `"1GiB"`.
///
/// ```
/// use dewar::audit::ByteSize;
/// let most = ByteSize::new(10 * 1024 * 1024);
/// assert_eq!(most.to_string(), "10MiB");
/// assert_eq!(most.bytes(), 10_485_760);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(u64);

impl ByteSize {
    /// So many bytes.
    #[must_use]
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&show_bytes(self.0))
    }
}

impl SettingValue for ByteSize {
    fn right() -> String {
        "a size with its unit, such as \"512KiB\" or \"10MiB\"".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        bytes(text).map(Self)
    }

    fn at_most(&self, other: &Self) -> bool {
        self <= other
    }
}

impl SettingValue for Duration {
    fn right() -> String {
        "a duration with its unit, such as \"45s\", \"30m\" or \"7d\"".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        duration(text)
    }

    fn at_most(&self, other: &Self) -> bool {
        self <= other
    }
}

impl SettingValue for bool {
    const UNQUOTED: Self = true;

    fn right() -> String {
        "true or false".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl SettingValue for String {
    fn right() -> String {
        super::section::LINE.to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        checked_line(text)
    }
}

impl SettingValue for PathBuf {
    fn right() -> String {
        "a path".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        checked_line(text).map(Self::from)
    }
}

impl SettingValue for SocketAddr {
    fn right() -> String {
        "an IP address with a port, such as \"127.0.0.1:9000\"".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl SettingValue for IpAddr {
    fn right() -> String {
        "an IP address, such as \"192.0.2.7\"".to_owned()
    }

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

impl BoundedValue for ByteSize {}
impl BoundedValue for Duration {}
impl<T: BoundedValue> BoundedValue for Option<T> {}
impl<T: BoundedValue> BoundedValue for Vec<T> {}

macro_rules! whole_numbers {
    ($($number:ty)*) => {$(
        impl SettingValue for $number {
            const UNQUOTED: bool = true;

            fn right() -> String {
                "a whole number".to_owned()
            }

            fn parse(text: &str) -> Option<Self> {
                // The standard library also takes `+5`.
                text.parse().ok().filter(|_| !text.starts_with('+'))
            }

            fn at_most(&self, other: &Self) -> bool {
                self <= other
            }
        }

        impl BoundedValue for $number {}
    )*};
}

whole_numbers! { u8 u16 u32 u64 usize i32 i64 }
