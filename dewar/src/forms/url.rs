use std::fmt;
use std::marker::PhantomData;

use super::literal::share;
use super::{Field, FieldKind, FormValue, Problem, RawValue};
use crate::pages::Message;

/// The most characters of an address; browsers and proxies accept about this many.
const MOST: usize = 2_048;

/// The allowed schemes of an address. Two implementations are here: [`Web`] and [`SecureWeb`].
///
/// ```
/// use dewar::forms::{Schemes, Url};
/// struct Git;
/// impl Schemes for Git { const ALLOWED: &'static [&'static str] = &["https", "ssh"]; }
/// assert!(Url::<Git>::parse("ssh://example.org/notes.git").is_ok());
/// assert!(Url::<Git>::parse("http://example.org/").is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not list the schemes that an address may have",
    note = "use `Web` (http and https) or `SecureWeb` (https), or implement `dewar::forms::Schemes` for a type of your own"
)]
pub trait Schemes: 'static {
    /// The schemes in lower case. A scheme under which a browser runs or opens the content of the address itself does not
    /// compile.
    const ALLOWED: &'static [&'static str];
}

/// `http` and `https`.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Web;

impl Schemes for Web {
    const ALLOWED: &'static [&'static str] = &["https", "http"];
}

/// `https` alone.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct SecureWeb;

impl Schemes for SecureWeb {
    const ALLOWED: &'static [&'static str] = &["https"];
}

/// A web address with a host, of at most 2,048 characters, as the WHATWG *URL* standard writes it.
///
/// 1. Its scheme is one of `S`, so it is never `javascript:` or `data:` (CWE-79).
/// 2. It has a host, and no user name and password before it, which make an address look like another's.
/// 3. It is written as `scheme://`, without space, backslash, or invisible character.
///
/// A host in another script becomes its ASCII form. A server should not fetch the address without a check of its own: it may lead
/// to a neighbour of the server (server-side request forgery, CWE-918).
///
/// ```
/// use dewar::forms::Url;
/// let url = <Url>::parse("HTTPS://Example.org/a b".replace(' ', "%20").as_str()).unwrap();
/// assert_eq!((url.as_str(), url.host()), ("https://example.org/a%20b", "example.org"));
/// assert!(<Url>::parse("javascript:alert(1)").is_err());
/// ```
pub struct Url<S: Schemes = Web> {
    url: url::Url,
    schemes: PhantomData<fn() -> S>,
}

impl<S: Schemes> Url<S> {
    /// No scheme whose address is itself a program or a document.
    const HARMLESS: () = assert!(
        !share(
            S::ALLOWED,
            &[
                "javascript",
                "data",
                "vbscript",
                "blob",
                "file",
                "view-source"
            ]
        ),
        "with a scheme in `Schemes::ALLOWED`, an address could run a program or name a file of the reader: remove it"
    );

    /// Parses an address.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let () = Self::HARMLESS; // also if no form has it as a field
        let line = RawValue::Text(text).line(MOST)?;
        // The URL standard accepts spaces, backslashes and a third slash, and repairs them; two parsers could read such an
        // address differently.
        let suspect = |c: char| c.is_whitespace() || matches!(c, '\\' | '"' | '<' | '>' | '`');
        let known = line.split_once("://").is_some_and(|(scheme, rest)| {
            let same = |allowed: &&str| scheme.eq_ignore_ascii_case(allowed);
            !rest.starts_with('/') && S::ALLOWED.iter().any(same)
        });
        if !known || line.contains(suspect) {
            return Err(wrong::<S>());
        }
        let url = url::Url::parse(&line).map_err(|_| wrong::<S>())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Problem::new(Message::new("forms-url-user")));
        }
        let whole = url.host_str().is_some_and(|host| !host.is_empty())
            && url.as_str().len() <= MOST
            && S::ALLOWED.contains(&url.scheme());
        whole
            .then_some(Self {
                url,
                schemes: PhantomData,
            })
            .ok_or_else(wrong::<S>)
    }

    /// The address in the standard's spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The host in lower case; another script in its ASCII form.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The scheme in lower case.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }
}

fn wrong<S: Schemes>() -> Problem {
    let first = S::ALLOWED.first().copied().unwrap_or_default();
    Problem::new(Message::new("forms-url").with("scheme", first))
}

impl<S: Schemes> Field for Url<S> {
    const KIND: FieldKind = {
        let () = Self::HARMLESS;
        FieldKind::url(MOST)
    };

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        Self::parse(raw.text()?)
    }

    fn show(&self) -> FormValue {
        FormValue::text(self)
    }
}

impl<S: Schemes> Clone for Url<S> {
    fn clone(&self) -> Self {
        Self {
            url: self.url.clone(),
            schemes: PhantomData,
        }
    }
}

impl<S: Schemes> PartialEq for Url<S> {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl<S: Schemes> Eq for Url<S> {}

impl<S: Schemes> fmt::Debug for Url<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Url({})", self.url)
    }
}

impl<S: Schemes> fmt::Display for Url<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.url.as_str())
    }
}

impl<S: Schemes> serde::Serialize for Url<S> {
    fn serialize<T: serde::Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serializer.serialize_str(self.url.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_says_its_scheme_and_its_host_in_lower_case() {
        let url: Url = Url::parse("HTTPS://Example.ORG/Path").unwrap();
        assert_eq!((url.scheme(), url.host()), ("https", "example.org"));
        let url: Url = Url::parse("https://b\u{fc}cher.example/").unwrap();
        assert_eq!(url.host(), "xn--bcher-kva.example");
    }

    #[test]
    fn an_address_that_runs_or_deceives_is_refused() {
        for wrong in [
            "",
            "example.org",
            "//example.org/",
            "javascript:alert(1)",
            "JaVaScRiPt://example.org/%0aalert(1)",
            "data:text/html,x",
            "java\tscript:alert(1)",
            "https:example.org",
            "https:/example.org",
            "https://",
            "https:///path",
            "https://bank.example@evil.example/",
            "https://a:b@example.org/",
            "https://:b@example.org/",
            "https://a@example.org/",
            "https:\\\\example.org\\",
            "https://example.org\\@evil.example/",
            "https://exam ple.org/",
            "https://example.org/\u{202e}gpj",
            "https://exa\u{200b}mple.org/",
            "https://example.org/\"onclick=",
            "https://[::1/",
            "https://example.org:99999/",
            "ftp://example.org/",
            "file:///etc/passwd",
        ] {
            assert!(<Url>::parse(wrong).is_err(), "{wrong:?}");
        }
        assert!(Url::<SecureWeb>::parse("http://example.org/").is_err());
        let long = format!("https://example.org/{}", "a".repeat(MOST));
        assert!(<Url>::parse(&long).is_err());
        let grows = format!("https://example.org/{}", "é".repeat(1_000));
        assert!(<Url>::parse(&grows).is_err(), "longer once it is encoded");
    }

    #[test]
    fn a_host_in_another_script_is_shown_in_its_ascii_form() {
        let url = <Url>::parse("https://bücher.example/").unwrap();
        assert_eq!(url.host(), "xn--bcher-kva.example");
    }

    proptest! {
        #[test]
        fn an_address_that_passed_passes_again_unchanged(text in "https?://[a-z0-9.é-]{1,20}(:[0-9]{1,5})?/[ -~é]{0,30}") {
            if let Ok(once) = <Url>::parse(&text) {
                prop_assert!(once.as_str().is_ascii() && once.as_str().starts_with("http"));
                prop_assert_eq!(<Url>::parse(once.as_str()).unwrap(), once);
            }
        }
    }
}
