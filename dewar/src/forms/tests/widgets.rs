//! The input element of a field, if it is not the default of its type.

use minijinja::Value;

use super::*;
use crate::forms::{FormSpec, List, Many, Model};
use crate::pages::NeedsToken;

#[derive(super::super::Form, Debug)]
struct Poll {
    #[field(range)]
    stars: Int<1, 5>,
    #[field(radio)]
    first: Choice<Colour>,
    others: Many<Choice<Colour>, 0, 2>,
    #[field(list_box)]
    worst: Vec<Choice<Colour>>,
    #[field(suggest = ["Paper", "<Plastic>"], hint = "Anything.")]
    made_of: Option<Line<20>>,
    #[field(unlabelled, placeholder = "Search")]
    words: Option<Line<20>>,
    pin: Pin,
}

/// Four digits.
#[derive(Debug)]
struct Pin(String);

impl Field for Pin {
    const KIND: FieldKind = FieldKind::line(4).pattern("[0-9]{4}").inputmode("numeric");

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        let pin = raw.line(4)?;
        let four = pin.len() == 4 && pin.bytes().all(|byte| byte.is_ascii_digit());
        four.then_some(Self(pin))
            .ok_or_else(|| Problem::new("Enter four digits."))
    }

    fn show(&self) -> FormValue {
        FormValue::text(&self.0)
    }
}

#[derive(super::super::Form, Debug)]
struct Order {
    items: List<Item, 1, 3>,
}

#[derive(super::super::Form, Debug)]
struct Item {
    title: Line<10>,
    number: Int<1, 9>,
}

fn input(field: &str) -> String {
    let form = Poll::view().fill(Poll::STARS, 3).fill(Poll::WORST, "red");
    let field = form.value("t").get_attr(field).unwrap();
    field.get_attr("input").unwrap().to_string()
}

#[test]
fn each_widget_is_drawn_as_what_it_is() {
    for (field, parts) in [
        (
            "stars",
            ["type=\"range\"", "min=\"1\" max=\"5\"", "value=\"3\""],
        ),
        (
            "first",
            ["type=\"radio\"", "value=\"deep_blue\"", " required"],
        ),
        (
            "others",
            [
                "type=\"checkbox\"",
                "value=\"deep_blue\"",
                "name=\"others\"",
            ],
        ),
        (
            "worst",
            ["<select", " multiple", "<option value=\"red\" selected>"],
        ),
        (
            "made_of",
            [
                "list=\"poll-made_of-list\"",
                "<datalist id=\"poll-made_of-list\">",
                "<option value=\"&lt;Plastic&gt;\">",
            ],
        ),
        (
            "words",
            [
                "aria-label=\"Words\"",
                "placeholder=\"Search\"",
                "type=\"text\"",
            ],
        ),
        (
            "pin",
            [
                "inputmode=\"numeric\"",
                "pattern=\"[0-9]{4}\"",
                "maxlength=\"4\"",
            ],
        ),
    ] {
        let html = input(field);
        for part in parts {
            assert!(html.contains(part), "{field}: {part}: {html}");
        }
    }
    assert!(!input("worst").contains("value=\"\""));
    let whole = shown(&Poll::view());
    assert!(!whole.contains("for=\"poll-words\"") && whole.contains("for=\"poll-pin\""));
}

#[tokio::test]
async fn what_a_widget_sends_is_read_by_the_type() {
    let browser = Browser::new().await;
    let right = "stars=5&first=red&others=red&others=deep_blue&worst=red&made_of=Glass&pin=0042";
    let poll = browser.send::<Poll>(right).await.unwrap().result().unwrap();
    assert_eq!(
        (poll.stars.get(), poll.worst.len(), poll.pin.0.as_str()),
        (5, 1, "0042")
    );
    // The browser's check is not the rule.
    for (wrong, field) in [
        ("stars=6&first=red&pin=0042", Poll::STARS.any()),
        ("stars=5&first=green&pin=0042", Poll::FIRST.any()),
        ("stars=5&first=red&pin=42", Poll::PIN.any()),
        ("stars=5&first=red&pin=0042&worst=green", Poll::WORST.any()),
        ("first=red&pin=0042", Poll::STARS.any()),
    ] {
        let refused = browser
            .send::<Poll>(wrong)
            .await
            .unwrap()
            .result()
            .unwrap_err();
        assert_eq!(refused.problems().of(field).count(), 1, "{wrong}");
    }
}

#[test]
fn the_schema_says_what_a_widget_takes() {
    let schema = FormSpec::new(Poll::FIELDS).schema();
    let of = |field: &str| schema["properties"][field].clone();
    assert_eq!(
        (&of("stars")["type"], &of("stars")["maximum"]),
        (&"integer".into(), &5.into())
    );
    assert_eq!(of("pin")["pattern"], "^(?:[0-9]{4})$");
    assert_eq!(of("worst")["type"], serde_json::json!(["array", "null"]));
    assert_eq!(
        of("worst")["items"]["enum"],
        serde_json::json!(["red", "deep_blue"])
    );
}

#[tokio::test]
async fn the_rows_of_a_list_can_be_drawn_by_hand() {
    let browser = Browser::new().await;
    let sent = "items.0.title=%3CMilk%3E&items.0.number=12&items.1.title=Tea&items.1.number=2";
    let view = browser
        .send::<Order>(sent)
        .await
        .unwrap()
        .result()
        .unwrap_err();
    let rows = view
        .value("t")
        .get_attr("items")
        .unwrap()
        .get_attr("rows")
        .unwrap();
    assert_eq!(rows.len(), Some(3)); // two, and an empty one
    let part = |row: usize, names: &[&str]| {
        let row = rows.get_item(&Value::from(row)).unwrap();
        let part = names
            .iter()
            .fold(row, |value, name| value.get_attr(name).unwrap());
        part.to_string()
    };
    assert_eq!(part(0, &["title", "value"]), "<Milk>");
    let input = part(0, &["number", "input"]);
    assert!(
        input.contains("name=\"items.0.number\"") && input.contains("aria-invalid"),
        "{input}"
    );
    assert!(part(0, &["number", "error"]).contains("items.0.number-error"));
    assert_eq!(part(1, &["number", "error"]), "");
    assert_eq!(part(1, &["id"]), "order-items.1");
    assert!(!part(2, &["title", "input"]).contains(" required"));
    // Rendered by hand or as a whole, it is the same.
    let whole = shown(&view);
    for row in 0..3 {
        assert!(whole.contains(&part(row, &[])), "{whole}");
        let fields = rows
            .get_item(&Value::from(row))
            .unwrap()
            .get_attr("fields")
            .unwrap();
        for field in fields.try_iter().unwrap() {
            assert!(whole.contains(&field.to_string()));
        }
    }
}

#[test]
fn a_form_that_is_wrong_as_a_whole_opens_at_its_summary() {
    let view = |problems: Problems<NewNote>| {
        let mut view = NewNote::view();
        view.untyped.add(problems.untyped());
        shown(&view)
    };
    let whole = view(Problems::with_all("Try again tomorrow."));
    assert!(
        whole.contains("<div class=\"errors\" role=\"alert\" tabindex=\"-1\" autofocus>"),
        "{whole}"
    );
    assert_eq!(whole.matches("autofocus").count(), 1);
    let field = view(Problems::with_all("Try again tomorrow.").and(NewNote::TITLE, "Taken."));
    assert!(
        field.contains("tabindex=\"-1\">") && field.matches("autofocus").count() == 1,
        "{field}"
    );
}
