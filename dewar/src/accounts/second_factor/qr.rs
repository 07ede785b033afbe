//! A new app on its page: the QR picture as inline SVG, and the key. No script, no picture of another origin, no style.
use std::borrow::Cow;
use std::fmt::{self, Write as _};

use minijinja::value::Value;
use qrcode::{Color, EcLevel, QrCode};
use zeroize::Zeroizing;

use crate::pages::{Fragment, Markup};

/// The light modules around the code (ISO/IEC 18004).
const QUIET: usize = 4;

/// A new app, for a template: `{{ app }}` is the key, as a link that opens the app on this device, and `{{ app.picture }}` the QR
/// picture of the link. Both are finished HTML: a template's addresses know no `otpauth:`, and need not.
pub(crate) struct OfferedApp {
    link: Zeroizing<String>,
    key: Zeroizing<String>,
}

impl OfferedApp {
    /// The link has only characters of an address in it, and the key only letters, digits and blanks.
    pub(super) const fn new(link: Zeroizing<String>, key: Zeroizing<String>) -> Self {
        Self { link, key }
    }

    /// The value for a template.
    pub(crate) fn into_value(self) -> Value {
        Markup::value(self)
    }
}

impl Fragment for OfferedApp {
    fn html(&self) -> Cow<'_, str> {
        let (link, key) = (self.link.replace('&', "&amp;"), &*self.key);
        let html =
            format!("<a href=\"{link}\"><code class=\"token\" translate=\"no\">{key}</code></a>");
        Cow::Owned(html)
    }

    fn part(&self, name: &str) -> Option<Value> {
        let svg = (name == "picture").then(|| Picture::of(&self.link))??;
        Some(Markup::value(svg))
    }
}

/// The key is not printed.
impl fmt::Debug for OfferedApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfferedApp([redacted])")
    }
}

/// The QR picture of a link.
struct Picture(Zeroizing<String>);

impl Picture {
    /// None if the text is too long for a picture.
    fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let width = code.width();
        let size = width + 2 * QUIET;
        let mut svg = Zeroizing::new(format!(
            "<svg class=\"qr\" aria-hidden=\"true\" viewBox=\"0 0 {size} {size}\" width=\"240\" height=\"240\" \
             shape-rendering=\"crispEdges\"><rect width=\"{size}\" height=\"{size}\" fill=\"#fff\"/><path d=\""
        ));
        for (y, row) in code.to_colors().chunks(width).enumerate() {
            for (x, color) in row.iter().enumerate() {
                if *color == Color::Dark {
                    // Writing to a string cannot fail.
                    let _written = write!(svg, "M{} {}h1v1h-1z", x + QUIET, y + QUIET);
                }
            }
        }
        svg.push_str("\"/></svg>");
        Some(Self(svg))
    }
}

impl Fragment for Picture {
    fn html(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }

    fn part(&self, _name: &str) -> Option<Value> {
        None
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Picture([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_has_a_picture_with_its_three_corners() {
        let link = "otpauth://totp/Site:ada?secret=JBSWY3DPEHPK3PXP";
        let svg = Picture::of(link).unwrap();
        let svg = svg.html();
        // Version 4 at level M: 33 modules.
        let last = 33 + QUIET - 7;
        assert!(svg.contains("viewBox=\"0 0 41 41\""), "{svg}");
        for (x, y) in [(QUIET, QUIET), (last, QUIET), (QUIET, last)] {
            assert!(svg.contains(&format!("M{x} {y}h1v1h-1z")), "{x} {y}");
        }
        assert!(!svg.contains("JBSW"));
        assert!(Picture::of(&"x".repeat(10_000)).is_none());
        let app = OfferedApp::new(
            Zeroizing::new("otpauth://totp/a?b=c&d".to_owned()),
            Zeroizing::new("ABCD".to_owned()),
        );
        assert!(app.html().contains("b=c&amp;d\"") && app.html().contains(">ABCD<"));
        assert!(app.part("picture").is_some() && app.part("other").is_none());
        assert_eq!(format!("{app:?}"), "OfferedApp([redacted])");
    }
}
