use minijinja::Value;
use proptest::prelude::*;

use super::*;
use crate::pages::NeedsToken;

#[test]
fn a_blank_form_is_drawn_whole() {
    insta::assert_snapshot!(shown(&NewNote::view()));
}

#[test]
fn a_form_for_an_account_is_drawn_whole() {
    insta::assert_snapshot!(shown(
        &SignUp::view()
            .fill(SignUp::EMAIL, "ada@example.org")
            .fill(SignUp::PASSWORD, "never shown")
    ));
}

#[tokio::test]
async fn a_refused_form_is_drawn_with_its_errors() {
    let browser = Browser::new().await;
    let form = browser
        .send::<NewNote>("title=&body=%3Ci%3Ehello&colour=green&others=red&pinned=on")
        .await
        .unwrap();
    insta::assert_snapshot!(shown(&form.result().unwrap_err()));
}

/// If a field shows more than its `maxlength`, a browser accepts no further letter, and does not send the form after a change.
#[test]
fn what_a_form_shows_can_be_changed_and_sent() {
    let length = |view: &FormView<NewNote>, field: &str| {
        let input = part(view, &[field, "input"]);
        let (_, after) = input.split_once("maxlength=\"")?;
        after.split('"').next().map(str::to_owned)
    };
    for (field, most) in [("title", 20), ("body", 2_000)] {
        let filled = |text: &str, times: usize| {
            let (view, text) = (NewNote::view(), text.repeat(times));
            if field == "title" {
                view.fill(NewNote::TITLE, text)
            } else {
                view.fill(NewNote::BODY, text)
            }
        };
        let of = |text: &str, times: usize| length(&filled(text, times), field);
        assert_eq!(of("a", most), Some(most.to_string()), "{field}");
        assert_eq!(of("a", most + 1), None, "{field}");
        // A browser counts UTF-16.
        assert_eq!(of("\u{1f600}", most / 2), Some(most.to_string()), "{field}");
        assert_eq!(of("\u{1f600}", most / 2 + 1), None, "{field}");
    }
    let typed = CleanHtml::<2_000>::parse(RawValue::Text(&"a < b ".repeat(300))).unwrap();
    let view = NewNote::view().fill(NewNote::BODY, &typed);
    assert_eq!(
        length(&view, "body"),
        None,
        "markup is longer than its words"
    );
}

#[test]
fn a_search_has_no_token_and_a_form_with_files_says_so() {
    let attributes = |view: &dyn NeedsToken| part(view, &["attributes"]);
    assert_eq!(attributes(&NewNote::view()), "method=\"post\"");
    assert_eq!(
        attributes(&NewFile::view()),
        "method=\"post\" enctype=\"multipart/form-data\""
    );
    let search = NewNote::view().searching();
    assert!(!shown(&search).contains("THE-TOKEN"));
    assert_eq!(attributes(&search), "method=\"get\"");
}

#[test]
fn a_form_falls_apart_into_what_a_page_of_its_own_needs() {
    let view = NewNote::view().fill(NewNote::TITLE, "<Milk>");
    assert_eq!(
        part(&view, &["token"]),
        "<input type=\"hidden\" name=\"csrf_token\" value=\"THE-TOKEN\">\n"
    );
    assert_eq!(
        part(&view, &["title", "label"]),
        "<label for=\"new-note-title\">Title</label>\n"
    );
    assert!(part(&view, &["title", "input"]).contains("value=\"&lt;Milk&gt;\""));
    assert_eq!(part(&view, &["title", "value"]), "<Milk>");
    assert_eq!(part(&view, &["title", "name"]), "title");
    assert_eq!(part(&view, &["title", "id"]), "new-note-title");
    assert!(part(&view, &["title"]).contains("<label for=\"new-note-title\">"));
    assert_eq!(
        (part(&view, &["title", "error"]), part(&view, &["errors"])),
        (String::new(), String::new())
    );
    assert_eq!(view.value("t").get_attr("fields").unwrap().len(), Some(5));
    assert!(view.value("t").get_attr("nothing").unwrap().is_undefined());
}

fn part(view: &dyn NeedsToken, names: &[&str]) -> String {
    let whole = view.value("THE-TOKEN");
    names
        .iter()
        .fold(whole, |value: Value, name| value.get_attr(name).unwrap())
        .to_string()
}

/// The tags of a document with the names of their attributes, read with quotes as a browser reads them.
fn skeleton(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once('<') {
        let (mut tag, mut quoted) = (String::new(), false);
        let mut end = after.len();
        for (place, c) in after.char_indices() {
            match c {
                '"' => quoted = !quoted,
                '>' if !quoted => {
                    end = place;
                    break;
                }
                c if !quoted => tag.push(c),
                _ => {}
            }
        }
        tags.push(tag);
        rest = after.get(end..).unwrap_or_default();
    }
    tags
}

fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("\"".to_owned()),
        Just("'".to_owned()),
        Just("<".to_owned()),
        Just(">".to_owned()),
        Just("&quot;".to_owned()),
        Just("</textarea>".to_owned()),
        Just("<script>".to_owned()),
        Just(" onfocus=alert(1) ".to_owned()),
        Just("\n".to_owned()),
        Just("{{ 7 * 7 }}".to_owned()),
        any::<String>(),
    ];
    prop::collection::vec(pieces, 1..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_value_leaves_its_place(value in hostile()) {
        let draw = |value: &str| {
            let view = SignUp::view().fill(SignUp::EMAIL, value).fill(SignUp::ABOUT, value).fill(SignUp::AGE, value);
            skeleton(&shown(&view))
        };
        prop_assert_eq!(draw(&value), draw("x"));
    }

    #[test]
    fn no_problem_leaves_its_place(text in hostile()) {
        let draw = |text: &str| {
            let mut view = SignUp::view();
            let problems = Problems::at(SignUp::EMAIL, text.to_owned()).and_all(text.to_owned());
            view.untyped.add(problems.untyped());
            skeleton(&shown(&view))
        };
        prop_assert_eq!(draw(&text), draw("x"));
    }

    #[test]
    fn a_value_comes_back_as_it_was(value in "[a-z<>\"'&;\u{e9} ]{0,20}") {
        let html = shown(&SignUp::view().fill(SignUp::EMAIL, &value));
        let (_, after) = html.split_once("value=\"").unwrap();
        let (_, after) = after.split_once("value=\"").unwrap();
        let (written, _) = after.split_once('"').unwrap();
        let read = written.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'").replace("&amp;", "&");
        prop_assert_eq!(read, value);
    }
}

#[test]
fn days_times_numbers_and_colours_are_drawn_as_what_they_are() {
    let date = crate::forms::Date::parse("2027-05-31").unwrap();
    let html = shown(
        &Event {
            day: date,
            at: crate::forms::Time::parse("09:30").unwrap(),
            ends: crate::forms::DateTime::parse("2027-06-01T18:00").unwrap(),
            call: crate::forms::Telephone::parse("+41 44 668 18 00").unwrap(),
            paint: crate::forms::Colour::parse("#FF8000").unwrap(),
            price: crate::forms::Decimal::parse("9.9").unwrap(),
            site: <crate::forms::Url>::parse("https://example.org").unwrap(),
        }
        .view_of(),
    );
    for (name, kind, value) in [
        ("day", "date", "2027-05-31"),
        ("at", "time", "09:30"),
        ("ends", "datetime-local", "2027-06-01T18:00"),
        ("call", "tel", "+41446681800"),
        ("paint", "color", "#ff8000"),
        ("price", "number", "9.90"),
        ("site", "url", "https://example.org/"),
    ] {
        let input = format!("<input type=\"{kind}\" id=\"event-{name}\" name=\"{name}\" required");
        let (_, rest) = html.split_once(&input).unwrap();
        let (tag, _) = rest.split_once('>').unwrap();
        assert!(
            tag.contains(&format!(" value=\"{value}\"")),
            "{name}: {tag}"
        );
    }
    assert!(
        html.contains(" min=\"0\" max=\"100\" step=\"0.01\""),
        "{html}"
    );
}

#[derive(crate::forms::Form)]
struct Event {
    day: crate::forms::Date,
    at: crate::forms::Time,
    ends: crate::forms::DateTime,
    call: crate::forms::Telephone,
    paint: crate::forms::Colour,
    price: crate::forms::Decimal<2, 0, 100>,
    site: crate::forms::Url,
}

#[derive(crate::forms::Form, Debug)]
struct Trip {
    #[field(autocomplete = "name")]
    name: Line<20>,
    #[field(group = "Days", earliest = "2027-01-01", latest = "2027-12-31")]
    from: crate::forms::Date,
    #[field(group = "Days", earliest = "2027-01-01")]
    until: Option<crate::forms::Date>,
    #[field(group = "Hours", latest = "18:00")]
    at: Option<crate::forms::Time>,
    note: Option<Line<20>>,
}

#[test]
fn neighbours_of_a_group_stand_in_one_fieldset() {
    let html = shown(&Trip::view());
    let order: Vec<_> = [
        "trip-name",
        "Days</legend>",
        "trip-from",
        "trip-until",
        "</fieldset>",
    ]
    .iter()
    .chain(&["Hours</legend>", "trip-at", "</fieldset>", "trip-note"])
    .collect();
    let mut rest = html.as_str();
    for part in order {
        (_, rest) = rest
            .split_once(part)
            .unwrap_or_else(|| panic!("{part}: {html}"));
    }
    assert_eq!(html.matches("<fieldset").count(), 2);
}

#[tokio::test]
async fn a_day_outside_its_bounds_is_refused_and_the_browser_knows_them() {
    let browser = Browser::new().await;
    let send = async |fields: &str| browser.send::<Trip>(fields).await.unwrap().result();
    let html = shown(&Trip::view());
    assert!(
        html.contains(" min=\"2027-01-01\" max=\"2027-12-31\"") && html.contains(" max=\"18:00\""),
        "{html}"
    );
    assert!(send("name=a&from=2027-01-01&until=&at=18:00").await.is_ok());
    assert!(send("name=a&from=2027-12-31").await.is_ok());
    for wrong in [
        "from=2026-12-31",
        "from=2028-01-01",
        "from=2027-01-01&until=0999-01-01",
        "from=2027-01-01&at=18:01",
    ] {
        let view = send(&format!("name=a&{wrong}")).await.unwrap_err();
        assert_eq!(view.problems().iter().count(), 1, "{wrong}");
    }
}

#[tokio::test]
async fn the_page_opens_with_the_first_field_that_is_wrong_or_the_first_where_asked() {
    let focused = |view: &dyn NeedsToken| -> Vec<String> {
        let html = shown(view);
        let tags = html.split('<').filter(|tag| tag.contains(" autofocus"));
        tags.map(|tag| {
            tag.split("name=\"")
                .nth(1)
                .unwrap()
                .split('"')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect()
    };
    assert!(focused(&Trip::view()).is_empty());
    assert_eq!(focused(&Trip::view().focused()), ["name"]);
    let browser = Browser::new().await;
    let form = browser.send::<Trip>("name=a&from=&until=2026-01-01").await;
    assert_eq!(focused(&form.unwrap().result().unwrap_err()), ["from"]);
    let form = browser.send::<NewNote>("title=a&colour=green").await;
    assert_eq!(focused(&form.unwrap().result().unwrap_err()), ["colour"]);
}
