use serde::Serialize;

use super::literal::{is_autocomplete, is_moment, share};
use super::{FieldSpec, Offer, Widget};

/// How a field looks and what it takes: the one place that the HTML, the parser and the route table read.
///
/// ```
/// use dewar::forms::FieldKind;
/// const POSTCODE: FieldKind = FieldKind::line(8).autocomplete("postal-code");
/// assert_eq!(POSTCODE.max_length, Some(8));
/// ```
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
pub struct FieldKind {
    /// The element that takes the value.
    pub widget: Widget,
    /// Whether something has to be entered.
    pub required: bool,
    /// Whether the name may come more than once.
    #[serde(skip_serializing_if = "is_false")]
    pub repeated: bool,
    /// The fewest characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<usize>,
    /// The most characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<usize>,
    /// The smallest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// The largest number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// The first day or hour, as it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earliest: Option<&'static str>,
    /// The last day or hour, as it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<&'static str>,
    /// The step between two numbers, where it is not 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<&'static str>,
    /// The fewest values, where more than one may come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_items: Option<usize>,
    /// The most values, where more than one may come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<usize>,
    /// The most bytes of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// What a file may be, as the HTML attribute `accept` spells it. The browser's help to its user, never the check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept: Option<&'static str>,
    /// The kinds of file that are taken, in words for people: `PNG, JPEG, WebP`. They stand beside the field, with the most bytes.
    pub file_kinds: Option<&'static str>,
    /// Whether what there is to choose from is known only to the handler.
    #[serde(skip_serializing_if = "is_false")]
    pub picked: bool,
    /// The fields of a row, where there are rows.
    #[serde(skip_serializing_if = "<[FieldSpec]>::is_empty")]
    pub items: &'static [FieldSpec],
    /// What there is to choose from.
    #[serde(skip_serializing_if = "<[Offer]>::is_empty")]
    pub offers: &'static [Offer],
    /// The token of the HTML attribute `autocomplete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autocomplete: Option<&'static str>,
    /// What the whole text looks like, as a regular expression of HTML and JSON Schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<&'static str>,
    /// The keyboard that a telephone shows, as the HTML attribute `inputmode` spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputmode: Option<&'static str>,
}

const MOMENT: &str = "`earliest` and `latest` stand on a `Date`, `Time` or `DateTime`, spelled `2027-05-31`, `09:30` or `2027-05-31T09:30`";

impl FieldKind {
    const fn of(widget: Widget) -> Self {
        Self {
            widget,
            required: true,
            repeated: false,
            min_length: None,
            max_length: None,
            min: None,
            max: None,
            earliest: None,
            latest: None,
            step: None,
            min_items: None,
            max_items: None,
            max_bytes: None,
            accept: None,
            file_kinds: None,
            picked: false,
            items: &[],
            offers: &[],
            autocomplete: None,
            pattern: None,
            inputmode: None,
        }
    }

    /// A box to tick; it need not be ticked.
    #[must_use]
    pub const fn checkbox() -> Self {
        Self::of(Widget::Checkbox).optional()
    }

    /// One of several.
    #[must_use]
    pub const fn choice(offers: &'static [Offer]) -> Self {
        let mut kind = Self::of(Widget::Select);
        kind.offers = offers;
        kind
    }

    /// A colour.
    #[must_use]
    pub const fn colour() -> Self {
        Self::of(Widget::Colour)
    }

    /// A day.
    #[must_use]
    pub const fn date() -> Self {
        Self::of(Widget::Date)
    }

    /// A number with 1 to 9 places behind its point, between two whole ones, both included.
    #[must_use]
    pub const fn decimal(places: u32, min: i64, max: i64) -> Self {
        let mut kind = Self::number(min, max);
        kind.step = Some(match places {
            1 => "0.1",
            2 => "0.01",
            3 => "0.001",
            4 => "0.0001",
            5 => "0.00001",
            6 => "0.000001",
            7 => "0.0000001",
            8 => "0.00000001",
            _ => "0.000000001",
        });
        kind
    }

    /// A day and a time on it, without a zone.
    #[must_use]
    pub const fn date_time() -> Self {
        Self::of(Widget::DateTime)
    }

    /// A telephone number, with what people put between its digits.
    #[must_use]
    pub const fn telephone() -> Self {
        let mut kind = Self::of(Widget::Telephone).autocomplete("tel");
        kind.max_length = Some(32);
        kind
    }

    /// A time of day.
    #[must_use]
    pub const fn time() -> Self {
        Self::of(Widget::Time)
    }

    /// An e-mail address (RFC 5321, 4.5.3.1.3: at most 254 characters between the brackets).
    #[must_use]
    pub const fn email() -> Self {
        let mut kind = Self::of(Widget::Email).autocomplete("email");
        kind.max_length = Some(254);
        kind
    }

    /// A file of at most so many bytes.
    #[must_use]
    pub const fn file(accept: &'static str, max_bytes: u64) -> Self {
        let mut kind = Self::of(Widget::File);
        kind.accept = Some(accept);
        kind.max_bytes = Some(max_bytes);
        kind
    }

    /// Says in words what a file may be.
    ///
    /// ```
    /// use dewar::forms::FieldKind;
    /// const SHEET: FieldKind = FieldKind::file(".csv", 2_000_000).file_kinds("CSV");
    /// assert_eq!(SHEET.file_kinds, Some("CSV"));
    /// ```
    #[must_use]
    pub const fn file_kinds(mut self, words: &'static str) -> Self {
        self.file_kinds = Some(words);
        self
    }

    /// One line of at most so many characters.
    #[must_use]
    pub const fn line(max_length: usize) -> Self {
        let mut kind = Self::of(Widget::Line);
        kind.max_length = Some(max_length);
        kind
    }

    /// Rows of these fields.
    #[must_use]
    pub(super) const fn list(items: &'static [FieldSpec], min: usize, max: usize) -> Self {
        assert!(
            min <= max && max >= 1 && max <= 200,
            "a `List<Row, MIN, MAX>` has from MIN to MAX rows, and never more than 200"
        );
        let kind = Self {
            items,
            required: min > 0,
            min_items: Some(min),
            max_items: Some(max),
            ..Self::of(Widget::List)
        };
        assert!(
            kind.depth() <= 3,
            "lists stand in lists at most three deep: make the inner one a page of its own"
        );
        kind
    }

    /// How deep lists stand in lists.
    const fn depth(&self) -> usize {
        let (mut deepest, mut rest) = (0, self.items);
        while let [first, others @ ..] = rest {
            assert!(
                !first.kind.is_file() && !first.kind.is_hidden() && !first.kind.picked,
                "a row of a `List` has no file, `Pick` or `Hidden`: they belong to the form around it"
            );
            let depth = first.kind.depth();
            if depth > deepest {
                deepest = depth;
            }
            rest = others;
        }
        if self.items.is_empty() {
            0
        } else {
            deepest + 1
        }
    }

    /// A whole number between two, both included.
    #[must_use]
    pub const fn number(min: i64, max: i64) -> Self {
        let mut kind = Self::of(Widget::Number);
        kind.min = Some(min);
        kind.max = Some(max);
        kind
    }

    /// One of those that a handler offers.
    #[must_use]
    pub const fn picked() -> Self {
        let mut kind = Self::of(Widget::Select);
        kind.picked = true;
        kind
    }

    /// A value that nobody sees, of a kind that is one text.
    ///
    /// # Panics
    /// Where it is not one text; in a constant it does not compile.
    #[must_use]
    pub const fn hidden(of: Self) -> Self {
        assert!(
            !of.repeated && !of.is_file() && !of.is_secret() && of.required,
            "only one text can be hidden: no `Option`, `Vec`, `bool`, file or password"
        );
        let mut kind = of;
        kind.widget = Widget::Hidden;
        kind
    }

    /// A password of so many characters.
    #[must_use]
    pub const fn password(min_length: usize, max_length: usize) -> Self {
        let mut kind = Self::of(Widget::Password);
        kind.min_length = Some(min_length);
        kind.max_length = Some(max_length);
        kind
    }

    /// Several lines of at most so many characters.
    #[must_use]
    pub const fn text(max_length: usize) -> Self {
        let mut kind = Self::of(Widget::Text);
        kind.max_length = Some(max_length);
        kind
    }

    /// An address of at most so many characters.
    #[must_use]
    pub const fn url(max_length: usize) -> Self {
        let mut kind = Self::of(Widget::Url);
        kind.max_length = Some(max_length);
        kind
    }

    /// With the token of the HTML attribute `autocomplete` (HTML, 4.10.18.7). One that HTML does not have does not compile
    /// in a constant.
    ///
    /// # Panics
    /// Where HTML has no such token: browsers would pass it over and fill in something else, or nothing.
    #[must_use]
    pub const fn autocomplete(mut self, token: &'static str) -> Self {
        assert!(
            is_autocomplete(token),
            "HTML has no such `autocomplete` token: \
             use one of its list, such as `email`, `name`, `postal-code`, `new-password` or `off` (HTML, 4.10.18.7)"
        );
        self.autocomplete = Some(token);
        self
    }

    /// No day or hour before this one, spelled as it is sent: `2027-05-31`, `09:30`, `2027-05-31T09:30`.
    ///
    /// # Panics
    /// Where it is spelled otherwise, or the field is no day or hour; in a constant it does not compile.
    #[must_use]
    pub const fn earliest(mut self, moment: &'static str) -> Self {
        assert!(is_moment(moment, self.widget), "{}", MOMENT);
        self.earliest = Some(moment);
        self
    }

    /// No day or hour after this one, spelled as it is sent.
    ///
    /// # Panics
    /// As [`earliest`](Self::earliest).
    #[must_use]
    pub const fn latest(mut self, moment: &'static str) -> Self {
        assert!(is_moment(moment, self.widget), "{}", MOMENT);
        self.latest = Some(moment);
        self
    }

    /// What the whole text looks like, for the browser and for the JSON schema: the rule itself stands in `parse`, and this
    /// is its help. It is a regular expression without anchors, such as `[0-9]{4}`.
    ///
    /// ```
    /// use dewar::forms::FieldKind;
    /// const PIN: FieldKind = FieldKind::line(4).pattern("[0-9]{4}").inputmode("numeric");
    /// ```
    #[must_use]
    pub const fn pattern(mut self, pattern: &'static str) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// With the keyboard that a telephone shows (HTML, 6.8.7).
    ///
    /// # Panics
    /// Where HTML has no such keyboard; in a constant it does not compile.
    #[must_use]
    pub const fn inputmode(mut self, keyboard: &'static str) -> Self {
        assert!(
            share(
                &[keyboard],
                &[
                    "none", "text", "tel", "url", "email", "numeric", "decimal", "search"
                ]
            ),
            "`inputmode` is one of none, text, tel, url, email, numeric, decimal and search (HTML, 6.8.7)"
        );
        self.inputmode = Some(keyboard);
        self
    }

    /// By a handle on a scale, where the exact number matters little.
    ///
    /// # Panics
    /// Where the field is no number; in a constant it does not compile.
    #[must_use]
    pub const fn range(mut self) -> Self {
        assert!(
            matches!(self.widget, Widget::Number) && self.required,
            "`range` stands on an `Int` or a `Decimal`, and not on an `Option` of one: a handle always stands somewhere"
        );
        self.widget = Widget::Range;
        self
    }

    /// With all offers in a list that is always open, in which several can be marked.
    ///
    /// # Panics
    /// Where the field does not take several of what is offered; in a constant it does not compile.
    #[must_use]
    pub const fn list_box(mut self) -> Self {
        assert!(
            matches!(self.widget, Widget::Select) && self.repeated,
            "`list_box` stands on a `Many` or a `Vec` of a `Choice` or a `Pick`"
        );
        self.widget = Widget::ListBox;
        self
    }

    /// With all offers in view.
    #[must_use]
    pub const fn radio(mut self) -> Self {
        self.widget = Widget::Radio;
        self
    }

    pub(super) const fn optional(mut self) -> Self {
        assert!(
            !matches!(self.widget, Widget::Hidden | Widget::List),
            "`Hidden` and `List` stand alone: write them without `Option` or `Vec` (a list may be empty: `List<Row, 0, 9>`)"
        );
        self.required = false;
        self
    }

    pub(super) const fn repeated(mut self) -> Self {
        self.repeated = true;
        self.optional()
    }

    pub(super) const fn many(self, min: usize, max: usize) -> Self {
        assert!(
            min <= max && max > 0,
            "nothing lies between the bounds of `Many`"
        );
        let mut kind = self.repeated();
        kind.required = min > 0;
        kind.min_items = Some(min);
        kind.max_items = Some(max);
        kind
    }

    /// Whether a script may send it as a number.
    pub(super) const fn is_number(&self) -> bool {
        matches!(self.widget, Widget::Number | Widget::Range)
    }

    /// Whether what was entered is never shown again.
    pub(super) const fn is_secret(&self) -> bool {
        matches!(self.widget, Widget::Password)
    }

    /// The fewest characters of a password that is chosen here; none where one is only entered.
    pub(super) const fn new_password(&self) -> Option<usize> {
        match self.min_length {
            Some(least) if self.is_secret() && least > 1 => Some(least),
            _ => None,
        }
    }

    pub(super) const fn is_hidden(&self) -> bool {
        matches!(self.widget, Widget::Hidden)
    }

    pub(super) const fn is_file(&self) -> bool {
        matches!(self.widget, Widget::File)
    }

    /// The most bytes that a text of this kind can have before anybody looks at it: four for a character, and twice
    /// that since letters may come decomposed and a new line comes as two.
    pub(super) const fn text_bytes(&self) -> usize {
        match self.max_length {
            // Base64 is a third longer; nonce, tag and the name of the key come with it.
            Some(length) if self.is_hidden() => length.saturating_mul(8).saturating_add(256),
            Some(length) => length.saturating_mul(8),
            None => 1024,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_false(flag: &bool) -> bool {
    !*flag
}
