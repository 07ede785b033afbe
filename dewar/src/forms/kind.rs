use serde::Serialize;

use super::literal::{is_autocomplete, is_moment, share};
use super::{FieldSpec, Offer, Widget};

/// How a field looks and what it accepts: the HTML, the parser and the route table all read it.
///
/// ```
/// use dewar::forms::FieldKind;
/// const POSTCODE: FieldKind = FieldKind::line(8).autocomplete("postal-code");
/// assert_eq!(POSTCODE.max_length, Some(8));
/// ```
#[derive(Debug, Clone, Copy, Serialize)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as in HTML"
)]
pub struct FieldKind {
    /// The input element.
    pub widget: Widget,
    /// Whether the field must have a value.
    pub required: bool,
    /// Whether a program may leave it out, so that the value stays as it is; see [`Patch`](super::Patch).
    #[serde(skip_serializing_if = "is_false")]
    pub may_be_left_out: bool,
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
    /// The earliest day or time, as a form sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub earliest: Option<&'static str>,
    /// The latest day or time, as a form sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<&'static str>,
    /// The step between two numbers, if it is not 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<&'static str>,
    /// The fewest values, if more than one may come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_items: Option<usize>,
    /// The most values, if more than one may come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_items: Option<usize>,
    /// The most bytes of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// The types of a file, as the HTML attribute `accept` spells them. It helps the user choose and checks nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accept: Option<&'static str>,
    /// The accepted kinds of file, in words for people: `PNG, JPEG, WebP`. The page shows them beside the field, with the most
    /// bytes.
    pub file_kinds: Option<&'static str>,
    /// Whether a browser may send the file to the storage itself, and the form a ticket in its place.
    #[serde(skip_serializing_if = "is_false")]
    pub direct: bool,
    /// The route that gives out the tickets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tickets: Option<&'static str>,
    /// Whether only the handler knows the options.
    #[serde(skip_serializing_if = "is_false")]
    pub picked: bool,
    /// The fields of a row, for a list.
    #[serde(skip_serializing_if = "<[FieldSpec]>::is_empty")]
    pub items: &'static [FieldSpec],
    /// The options of a choice.
    #[serde(skip_serializing_if = "<[Offer]>::is_empty")]
    pub offers: &'static [Offer],
    /// The name of the enum of these options.
    #[serde(skip)]
    pub(crate) choices: &'static str,
    /// The token of the HTML attribute `autocomplete`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autocomplete: Option<&'static str>,
    /// Whether no page shows the value again.
    #[serde(skip)]
    pub(super) never_shown: bool,
    /// A pattern of the whole text, as a regular expression of HTML and JSON Schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<&'static str>,
    /// The keyboard of a phone, as the HTML attribute `inputmode` spells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputmode: Option<&'static str>,
}

const MOMENT: &str = "`earliest` and `latest` belong to a `Date`, `Time` or `DateTime`, and are written `2027-05-31`, `09:30` or `2027-05-31T09:30`";

impl FieldKind {
    const fn of(widget: Widget) -> Self {
        Self {
            widget,
            required: true,
            may_be_left_out: false,
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
            direct: false,
            tickets: None,
            picked: false,
            items: &[],
            offers: &[],
            choices: "",
            autocomplete: None,
            never_shown: false,
            pattern: None,
            inputmode: None,
        }
    }

    /// A checkbox; it need not be checked.
    #[must_use]
    pub const fn checkbox() -> Self {
        Self::of(Widget::Checkbox).optional()
    }

    /// One of several options.
    #[must_use]
    pub const fn choice(offers: &'static [Offer]) -> Self {
        let mut kind = Self::of(Widget::Select);
        kind.offers = offers;
        kind
    }

    /// Names the enum of the options.
    pub(super) const fn of_choices(mut self, name: &'static str) -> Self {
        self.choices = name;
        self
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

    /// A number with 1 to 9 decimal places between two whole numbers, both included.
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

    /// A day and a time, without a time zone.
    #[must_use]
    pub const fn date_time() -> Self {
        Self::of(Widget::DateTime)
    }

    /// A telephone number, with the separators that people write.
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

    /// Names the accepted kinds of file in words.
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

    /// Lets a browser send the file to the storage itself. The type of the field redeems the ticket that comes in its place.
    #[must_use]
    pub(crate) const fn direct(mut self) -> Self {
        self.direct = true;
        self
    }

    /// Names the route that gives out the tickets of a `DirectUpload`.
    ///
    /// # Panics
    /// If the field takes no ticket, or the route is no path; in a constant it does not compile.
    #[must_use]
    pub const fn tickets(mut self, route: &'static str) -> Self {
        assert!(
            self.direct && matches!(route.as_bytes(), [b'/', ..]),
            "`tickets` belongs to a `DirectUpload`, and is the path of the route that gives them out: `/documents/tickets`"
        );
        self.tickets = Some(route);
        self
    }

    /// One line of at most so many characters.
    #[must_use]
    pub const fn line(max_length: usize) -> Self {
        let mut kind = Self::of(Widget::Line);
        kind.max_length = Some(max_length);
        kind
    }

    /// Rows with these fields.
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
            "lists nest at most three deep: make the inner one a page of its own"
        );
        kind
    }

    /// How deep lists nest.
    const fn depth(&self) -> usize {
        let (mut deepest, mut rest) = (0, self.items);
        while let [first, others @ ..] = rest {
            assert!(
                !first.name.is_empty(),
                "a row of a `List` is a form: an array in an array has no names for its values"
            );
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

    /// A whole number in a range, both ends included.
    #[must_use]
    pub const fn number(min: i64, max: i64) -> Self {
        let mut kind = Self::of(Widget::Number);
        kind.min = Some(min);
        kind.max = Some(max);
        kind
    }

    /// One of the options that a handler offers.
    #[must_use]
    pub const fn picked() -> Self {
        let mut kind = Self::of(Widget::Select);
        kind.picked = true;
        kind
    }

    /// A hidden value, of a kind that is one text.
    ///
    /// # Panics
    /// If the kind is not one text; in a constant it does not compile.
    #[must_use]
    pub const fn hidden(of: Self) -> Self {
        assert!(
            !of.repeated && !of.is_file() && !of.is_secret() && of.required,
            "`Hidden` needs one text: no `Option`, `Vec`, `bool`, file or password"
        );
        let mut kind = of;
        kind.widget = Widget::Hidden;
        kind
    }

    /// A password with these limits of length.
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

    /// A web address of at most so many characters.
    #[must_use]
    pub const fn url(max_length: usize) -> Self {
        let mut kind = Self::of(Widget::Url);
        kind.max_length = Some(max_length);
        kind
    }

    /// Sets the HTML attribute `autocomplete` (HTML, 4.10.18.7). In a constant, a token that HTML does not have does not compile.
    ///
    /// # Panics
    /// If HTML has no such token: browsers would ignore it and fill in something else, or nothing.
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

    /// No page shows the value again, although the user sees it while typing: a code that works once.
    ///
    /// ```
    /// use dewar::forms::FieldKind;
    /// const VOUCHER: FieldKind = FieldKind::line(20).never_shown();
    /// # let _ = VOUCHER;
    /// ```
    #[must_use]
    pub const fn never_shown(mut self) -> Self {
        self.never_shown = true;
        self
    }

    /// Sets the earliest day or time, spelled as a form sends it: `2027-05-31`, `09:30`, `2027-05-31T09:30`.
    ///
    /// # Panics
    /// If it has another spelling, or the field is no day or time; in a constant it does not compile.
    #[must_use]
    pub const fn earliest(mut self, moment: &'static str) -> Self {
        assert!(is_moment(moment, self.widget), "{}", MOMENT);
        self.earliest = Some(moment);
        self
    }

    /// Sets the latest day or time, spelled as a form sends it.
    ///
    /// # Panics
    /// Like [`earliest`](Self::earliest).
    #[must_use]
    pub const fn latest(mut self, moment: &'static str) -> Self {
        assert!(is_moment(moment, self.widget), "{}", MOMENT);
        self.latest = Some(moment);
        self
    }

    /// Sets the pattern of the whole text, for the browser and for the JSON schema.
    ///
    /// `parse` still checks the rule; the pattern only helps the user. It is a regular expression without anchors, such as
    /// `[0-9]{4}`.
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

    /// Sets the keyboard of a phone (HTML, 6.8.7).
    ///
    /// # Panics
    /// If HTML has no such keyboard; in a constant it does not compile.
    #[must_use]
    pub const fn inputmode(mut self, keyboard: &'static str) -> Self {
        assert!(
            share(
                &[keyboard],
                &[
                    "none", "text", "tel", "url", "email", "numeric", "decimal", "search"
                ]
            ),
            "`inputmode` must be one of none, text, tel, url, email, numeric, decimal and search (HTML, 6.8.7)"
        );
        self.inputmode = Some(keyboard);
        self
    }

    /// Shows a slider, for a number whose exact value matters little.
    ///
    /// # Panics
    /// If the field is no number; in a constant it does not compile.
    #[must_use]
    pub const fn range(mut self) -> Self {
        assert!(
            matches!(self.widget, Widget::Number) && self.required,
            "`range` belongs to an `Int` or a `Decimal`, and not to an `Option` of one: a slider always has a value"
        );
        self.widget = Widget::Range;
        self
    }

    /// Shows all options in a list that is always open, in which the user can mark several.
    ///
    /// # Panics
    /// If the field does not take several options; in a constant it does not compile.
    #[must_use]
    pub const fn list_box(mut self) -> Self {
        assert!(
            matches!(self.widget, Widget::Select) && self.repeated,
            "`list_box` belongs to a `Many` or a `Vec` of a `Choice` or a `Pick`"
        );
        self.widget = Widget::ListBox;
        self
    }

    /// Shows all options as radio buttons.
    #[must_use]
    pub const fn radio(mut self) -> Self {
        self.widget = Widget::Radio;
        self
    }

    pub(super) const fn optional(mut self) -> Self {
        assert!(
            !matches!(self.widget, Widget::Hidden | Widget::List),
            "`Hidden` and `List` cannot be in an `Option` or a `Vec` (a list may be empty: `List<Row, 0, 9>`)"
        );
        self.required = false;
        self
    }

    pub(super) const fn patch(mut self) -> Self {
        assert!(
            !matches!(self.widget, Widget::Hidden),
            "a `Hidden` cannot be in a `Patch`: the page always sends it"
        );
        self.may_be_left_out = true;
        self
    }

    pub(super) const fn repeated(mut self) -> Self {
        self.repeated = true;
        self.optional()
    }

    pub(super) const fn many(self, min: usize, max: usize) -> Self {
        assert!(min <= max && max > 0, "the bounds of `Many` allow no value");
        let mut kind = self.repeated();
        kind.required = min > 0;
        kind.min_items = Some(min);
        kind.max_items = Some(max);
        kind
    }

    /// Whether JSON may have it as a number.
    pub(super) const fn is_number(&self) -> bool {
        matches!(self.widget, Widget::Number | Widget::Range)
    }

    /// Whether JSON may also have the number as a string: most programs read a JSON number as binary, which keeps no decimal
    /// fraction and no whole number beyond 2^53 exactly (RFC 8259, 6).
    pub(super) const fn may_be_quoted(&self) -> bool {
        const EXACT: i64 = (1 << 53) - 1;
        let wide = matches!(self.min, Some(min) if min < -EXACT)
            || matches!(self.max, Some(max) if max > EXACT);
        self.step.is_some() || wide
    }

    /// Whether the page never shows the value again.
    pub(super) const fn is_secret(&self) -> bool {
        self.is_password() || self.never_shown
    }

    pub(super) const fn is_password(&self) -> bool {
        matches!(self.widget, Widget::Password)
    }

    /// The fewest characters of a new password; none for a password that is only entered.
    pub(super) const fn new_password(&self) -> Option<usize> {
        match self.min_length {
            Some(least) if self.is_password() && least > 1 => Some(least),
            _ => None,
        }
    }

    pub(super) const fn is_hidden(&self) -> bool {
        matches!(self.widget, Widget::Hidden)
    }

    pub(super) const fn is_file(&self) -> bool {
        matches!(self.widget, Widget::File)
    }

    /// The most bytes of an unchecked text of this kind: four for a character, and twice that, because letters may come
    /// decomposed and a line break comes as two bytes.
    pub(super) const fn text_bytes(&self) -> usize {
        match self.max_length {
            // Base64 is a third longer, and the nonce, the tag and the key's name come with it.
            Some(length) if self.is_hidden() => length.saturating_mul(8).saturating_add(256),
            Some(length) => length.saturating_mul(8),
            None => 1024,
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(flag: &bool) -> bool {
    !*flag
}
