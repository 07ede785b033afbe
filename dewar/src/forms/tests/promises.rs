//! HTML promises what the parser accepts: the parser takes every value that the rendered input calls valid. This file repeats the
//! rules of HTML, written from the standard (HTML, 4.10.5.1 and 4.10.5.3) and not from the parsers.

use std::sync::LazyLock;

use proptest::prelude::*;
use scraper::{Html, Selector};

use super::*;
use crate::forms::{
    Colour as Paint, Date, DateTime, Decimal, FieldSpec, List, Markdown, Model, Name, Telephone,
    Time, Url,
};
use crate::pages::Message;

#[derive(super::super::Form, Debug)]
struct Everything {
    int: Int<-5, 500>,
    none_int: Option<Int<0, 9>>,
    price: Decimal<2, 0, 1_000>,
    #[field(range)]
    stars: Int<1, 5>,
    #[field(earliest = "2027-01-01")]
    day: Date,
    until: Option<Date>,
    at: Time,
    #[field(earliest = "22:00", latest = "06:00")]
    night: Time,
    both: DateTime,
    email: Email,
    site: Url,
    call: Telephone,
    paint: Paint,
    no_paint: Option<Paint>,
    line: Line<20>,
    no_line: Option<Line<20>>,
    text: Text<20>,
    notes: Option<Markdown<20>>,
    name: Name<20>,
    password: NewPassword,
}

/// The attributes of a control that constrain its value.
#[derive(Debug)]
struct Control {
    kind: String,
    required: bool,
    min: Option<String>,
    max: Option<String>,
    step: Option<f64>,
    minlength: Option<usize>,
    maxlength: Option<usize>,
    pattern: Option<String>,
}

impl Control {
    fn of(html: &str, name: &str) -> Self {
        let page = Html::parse_fragment(html);
        let selector = Selector::parse(&format!("[name=\"{name}\"]")).unwrap();
        let element = page.select(&selector).next().unwrap();
        let attribute = |name| element.attr(name).map(str::to_owned);
        let kind = match element.value().name() {
            "input" => attribute("type").unwrap_or_else(|| "text".to_owned()),
            other => other.to_owned(),
        };
        Self {
            kind,
            required: element.attr("required").is_some(),
            min: attribute("min"),
            max: attribute("max"),
            step: attribute("step").and_then(|step| step.parse().ok()),
            minlength: attribute("minlength").and_then(|length| length.parse().ok()),
            maxlength: attribute("maxlength").and_then(|length| length.parse().ok()),
            pattern: attribute("pattern"),
        }
    }

    /// Whether a browser lets a user send this.
    fn is_valid(&self, value: &str) -> bool {
        if value.is_empty() {
            return !self.required;
        }
        let length = value.encode_utf16().count();
        let fits = self.maxlength.is_none_or(|most| length <= most)
            && self.minlength.is_none_or(|least| length >= least);
        let matches = self.pattern.as_deref().is_none_or(|pattern| match pattern {
            "#[0-9A-Fa-f]{6}" => is_colour(value),
            other => panic!("the oracle does not know the pattern {other}"),
        });
        fits && matches && self.is_of_its_type(value)
    }

    fn is_of_its_type(&self, value: &str) -> bool {
        match self.kind.as_str() {
            "number" | "range" => self.is_number(value),
            "date" => is_day(value) && self.is_between(value),
            "time" => is_time(value) && self.is_hour(value),
            "datetime-local" => {
                let halves = value.split_once(['T', ' ']);
                halves.is_some_and(|(day, time)| is_day(day) && is_time(time) && is_minute(time))
                    && self.is_between(&value.replace(' ', "T"))
            }
            "email" => is_email(value),
            "color" => is_colour(value),
            "url" => url::Url::parse(value).is_ok(),
            "text" | "tel" | "password" | "search" => !value.contains(['\n', '\r']),
            "textarea" => true,
            other => panic!("the oracle does not know the type {other}"),
        }
    }

    fn is_number(&self, value: &str) -> bool {
        if !is_number(value) {
            return false;
        }
        let (Ok(number), bound) = (value.parse::<f64>(), |text: &Option<String>| {
            text.as_deref().and_then(|text| text.parse::<f64>().ok())
        }) else {
            return false;
        };
        let (min, max) = (bound(&self.min), bound(&self.max));
        let steps = (number - min.unwrap_or(0.0)) / self.step.unwrap_or(1.0);
        // For the oracle's arithmetic, a number nearer to zero than this is a whole number, and it reads `1e-500` as zero. Zero
        // itself has no other digit before its exponent.
        let mantissa = value.split(['e', 'E']).next().unwrap_or_default();
        let is_zero = !mantissa.contains(|c: char| matches!(c, '1'..='9'));
        let is_seen = is_zero || number.abs() > 1e-9;
        number.is_finite()
            && is_seen
            && min.is_none_or(|min| number >= min)
            && max.is_none_or(|max| number <= max)
            && (steps - steps.round()).abs() < 1e-10
    }

    fn is_between(&self, value: &str) -> bool {
        // A year of more digits is later.
        let key = |text: &str| (text.find('-'), text.to_owned());
        self.min.as_deref().is_none_or(|min| key(value) >= key(min))
            && self.max.as_deref().is_none_or(|max| key(value) <= key(max))
    }

    fn is_hour(&self, value: &str) -> bool {
        let within = match (self.min.as_deref(), self.max.as_deref()) {
            (Some(min), Some(max)) if min > max => value >= min || value <= max,
            (min, max) => min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max),
        };
        within && is_minute(value)
    }
}

/// `step` is a minute by default.
fn is_minute(time: &str) -> bool {
    time.split(':')
        .nth(2)
        .is_none_or(|seconds| seconds.bytes().all(|byte| matches!(byte, b'0' | b'.')))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A valid floating-point number (HTML, 2.3.4.3).
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let is_mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => digits(mantissa),
    };
    is_mantissa
        && exponent.is_none_or(|power| digits(power.strip_prefix(['-', '+']).unwrap_or(power)))
}

/// A valid date string (HTML, 2.3.5.2): a year of four digits or more, greater than 0.
fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    let of = |text: &str| text.parse::<u32>().unwrap_or(0);
    let leap = of(year) % 4 == 0 && (of(year) % 100 != 0 || of(year) % 400 == 0);
    let last = match of(month) {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    parts.iter().all(|part| digits(part))
        && (4..=6).contains(&year.len())
        && (month.len(), day.len()) == (2, 2)
        && of(year) > 0
        && (1..=12).contains(&of(month))
        && (1..=last).contains(&of(day))
}

/// A valid time string (HTML, 2.3.5.4).
fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let two = |text: &str, most: u32| {
        text.len() == 2 && digits(text) && text.parse::<u32>().is_ok_and(|number| number <= most)
    };
    let second = |text: &str| match text.split_once('.') {
        Some((whole, fraction)) => two(whole, 59) && digits(fraction) && fraction.len() <= 3,
        None => two(text, 59),
    };
    match parts[..] {
        [hour, minute] => two(hour, 23) && two(minute, 59),
        [hour, minute, seconds] => two(hour, 23) && two(minute, 59) && second(seconds),
        _ => false,
    }
}

/// A valid e-mail address (HTML, 4.10.5.1.5), which is looser than RFC 5321 about dots and stricter about quotes.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let atom = |c: char| c.is_ascii_alphanumeric() || ".!#$%&'*+/=?^_`{|}~-".contains(c);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    !local.is_empty() && local.chars().all(atom) && domain.split('.').all(label)
}

fn is_colour(text: &str) -> bool {
    let hex = text.strip_prefix('#');
    hex.is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether the documentation of a type says that the type refuses this, though its input calls it valid.
fn is_documented(kind: &str, value: &str, problem: &Problem) -> bool {
    let is = |id: &str| format!("{:?}", problem.words()).contains(&format!("\"{id}\""));
    match kind {
        "email" => {
            let (local, domain) = value.split_once('@').unwrap_or_default();
            let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
            let last = domain.rsplit('.').next().unwrap_or_default();
            let number = last.starts_with(|c: char| c.is_ascii_digit());
            // A label that claims to be Punycode, and is not.
            let encoded = domain.to_ascii_lowercase().contains("xn--");
            is("forms-email")
                && (dots || local.len() > 64 || !domain.contains('.') || number || encoded)
        }
        // A web address has a host and an allowed scheme; a telephone number has its country code; text is visible.
        "url" => is("forms-url") || is("forms-url-user"),
        "tel" => is("forms-telephone") || is("forms-telephone-country") || is("forms-missing"),
        _ => [
            "forms-control",
            "forms-direction",
            "forms-invisible",
            "forms-mixed-scripts",
            "forms-missing",
            "forms-one-line",
            "forms-password-short",
        ]
        .iter()
        .any(|id| is(id)),
    }
}

fn value() -> impl Strategy<Value = String> {
    let signs = prop::sample::select(
        [
            "-", "+", ".", "e", "E", "e-", "e+", "0", "00", "1", "5", "10", "100", "007", "9",
        ]
        .as_slice(),
    );
    let number = prop::collection::vec(signs, 1..5).prop_map(|parts| parts.concat());
    let day = "(0000|0001|1999|2027|2028|9999|12027|202555)-(0[0-9]|1[0-3])-([0-2][0-9]|3[0-2])";
    let hour = "([01][0-9]|2[0-4]):([0-5][0-9]|60)(:00|:01|:00\\.0|:00\\.000|:00\\.0000|:00\\.5)?";
    let email = "[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{1,12}@[a-z0-9-]{1,8}(\\.[a-z0-9-]{1,5}){0,2}";
    prop_oneof![
        number,
        "-?[0-9]{0,4}(\\.[0-9]{1,4})?([eE][+-]?[0-3])?",
        day,
        hour,
        prop::string::string_regex(&format!("{day}[T ]{hour}")).unwrap(),
        email,
        "#[0-9a-fA-F]{5,7}",
        "(https?|ftp|HTTPS|mailto|javascript)://?[a-z0-9.]{1,9}(:[0-9]{1,5})?(/[a-z%20?#]{0,9})?",
        "\\+?[0-9 ()./\u{a0}\u{2011}\u{202a}-]{6,20}",
        "[a-z \u{958}\u{fb2c}\u{b}\u{c}\n\t\u{e9}\u{301}]{0,22}",
        any::<String>(),
    ]
}

/// Parses a value with a form of this one field.
fn parse(spec: &FieldSpec, value: &str) -> Result<(), Problem> {
    let mut received = crate::forms::Received::query::<Everything>();
    let text = zeroize::Zeroizing::new(value.to_owned());
    // A browser sends a line break as two characters.
    let added = received.add(spec.name, crate::forms::received::Arrived::Text(text));
    assert!(added.is_ok(), "{}: {value:?}", spec.name);
    let (_, received) = received.read::<Everything>().unwrap();
    match received
        .into_view::<Everything>()
        .problems
        .of(spec.name)
        .next()
    {
        Some(problem) => Err(problem.clone()),
        None => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn what_the_rendered_input_calls_valid_the_parser_takes(value in value()) {
        static CONTROLS: LazyLock<Vec<Control>> = LazyLock::new(|| {
            let html = shown(&Everything::view());
            let names = Everything::FIELDS.iter().map(|spec| spec.name);
            names.map(|name| Control::of(&html, name)).collect()
        });
        for (spec, control) in Everything::FIELDS.iter().zip(CONTROLS.iter()) {
            if !control.is_valid(&value) {
                continue;
            }
            // With line breaks as a browser sends them.
            let sent = value.replace("\r\n", "\n").replace(['\r', '\n'], "\r\n");
            if let Err(problem) = parse(spec, &sent) {
                prop_assert!(
                    is_documented(&control.kind, &value, &problem),
                    "{}: {:?} is valid for {:?}, and the parser says: {}", spec.name, value, control, problem
                );
            }
        }
    }
}

/// The inputs from the report, each at its field.
#[test]
fn inputs_that_were_valid_and_refused_are_taken() {
    let html = shown(&Everything::view());
    for (name, value) in [
        ("price", ".5"),
        ("price", "1.500"),
        ("price", "1e2"),
        ("int", "5.0"),
        ("int", "1e2"),
        ("stars", "5.0"),
        ("email", "o'brien@example.com"),
        ("text", "a\u{b}b"),
        ("text", &"\u{958}".repeat(20)),
        ("line", &"\u{958}".repeat(20)),
        ("notes", &"\u{fb2c}".repeat(20)),
        ("at", "09:30:00"),
        ("both", "2027-05-31 09:30"),
        ("night", "23:30"),
        ("night", "05:59"),
        ("call", "+41 (0)44 668 18 00"),
        ("no_paint", ""),
        ("no_paint", "#FF8000"),
    ] {
        let spec = Everything::FIELDS
            .iter()
            .find(|spec| spec.name == name)
            .unwrap();
        let control = Control::of(&html, name);
        assert!(control.is_valid(value), "{name}: {value:?}: {control:?}");
        assert!(parse(spec, value).is_ok(), "{name}: {value:?}");
    }
    // Values that once were valid in the browser, and are not any more.
    for (name, value) in [("day", "20255-12-31"), ("both", "20255-12-31T09:30")] {
        assert!(!Control::of(&html, name).is_valid(value), "{name}");
    }
    let night = Everything::FIELDS
        .iter()
        .find(|spec| spec.name == "night")
        .unwrap();
    assert!(!Control::of(&html, "night").is_valid("12:00"));
    let said = parse(night, "12:00").unwrap_err();
    let words = Message::new("forms-between-hours")
        .with("first", "22:00")
        .with("last", "06:00");
    assert_eq!(*said.words(), words.into());
}

#[derive(super::super::Form, Debug)]
struct Palette {
    title: Option<Line<10>>,
    items: List<Swatch, 1, 4>,
}

#[derive(super::super::Form, Debug)]
struct Swatch {
    paint: Paint,
    #[field(range)]
    weight: Int<1, 9>,
    bold: bool,
}

/// The request of a browser whose user changed nothing.
fn untouched(html: &str) -> String {
    let page = Html::parse_fragment(html);
    let inputs = Selector::parse("input:not([name=csrf_token])").unwrap();
    let sent = page.select(&inputs).filter_map(|input| {
        let value = input.attr("value").unwrap_or_default();
        let value = match (input.attr("type")?, value) {
            ("checkbox", _) => return None,
            // The values of these inputs if nothing was chosen (HTML, 4.10.5.1.13 and 4.10.5.1.14).
            ("color", "") => "%23000000",
            ("range", "") => "5",
            (_, value) => {
                return Some(format!(
                    "{}={}",
                    input.attr("name")?,
                    value.replace('#', "%23")
                ));
            }
        };
        Some(format!("{}={value}", input.attr("name")?))
    });
    sent.collect::<Vec<_>>().join("&")
}

#[tokio::test]
async fn a_spare_row_that_nobody_touched_is_none_whatever_its_fields() {
    let browser = Browser::new().await;
    let first = untouched(&shown(&Palette::view()));
    assert!(
        first.contains("items.0.paint=%23000000&items.0.weight=5"),
        "{first}"
    );
    let palette = browser
        .send::<Palette>(&first)
        .await
        .unwrap()
        .result()
        .unwrap();
    assert_eq!(palette.items.len(), 1, "{first}");
    // Viewing the form again does not make it grow.
    let again = untouched(&shown(&palette.view_of()));
    let palette = browser
        .send::<Palette>(&again)
        .await
        .unwrap()
        .result()
        .unwrap();
    assert_eq!(palette.items.len(), 1, "{again}");
    // A user who fills in a row gets one more.
    let filled = again
        .replace("items.1.paint=", "items.1.paint=%23ff8000")
        .replace("items.1.weight=", "items.1.weight=2");
    let palette = browser
        .send::<Palette>(&filled)
        .await
        .unwrap()
        .result()
        .unwrap();
    assert_eq!(palette.items[1].paint.to_string(), "#ff8000", "{filled}");
}

#[derive(super::super::Form, Debug)]
struct Loose {
    paint: Option<Paint>,
    scale: Option<Scale>,
}

/// An application's own type with a slider.
#[derive(Debug)]
struct Scale(Int<1, 9>);

impl Field for Scale {
    const KIND: FieldKind = FieldKind::number(1, 9).range();

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        <Int<1, 9> as Field>::parse(raw).map(Self)
    }

    fn show(&self) -> FormValue {
        self.0.show()
    }
}

#[tokio::test]
async fn no_colour_and_no_number_can_be_said() {
    let browser = Browser::new().await;
    let html = shown(&Loose::view());
    let loose = browser
        .send::<Loose>(&untouched(&html))
        .await
        .unwrap()
        .result()
        .unwrap();
    assert!(loose.paint.is_none() && loose.scale.is_none(), "{html}");
    assert!(
        html.contains("such as #ff8000") && html.contains("type=\"number\""),
        "{html}"
    );
    let filled = "paint=%23ff8000&scale=3";
    let loose = browser
        .send::<Loose>(filled)
        .await
        .unwrap()
        .result()
        .unwrap();
    let again = untouched(&shown(&loose.view_of()));
    assert_eq!(again, filled);
    let taken = browser
        .send::<Loose>("paint=&scale=")
        .await
        .unwrap()
        .result()
        .unwrap();
    assert!(taken.paint.is_none() && taken.scale.is_none());
}
