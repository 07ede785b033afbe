use super::*;
use crate::forms::List;
use crate::pages::ErrorKind;

#[derive(crate::forms::Form, Debug)]
#[form(check = Self::is_affordable)]
struct Item {
    title: Line<10>,
    count: Int<1, 9>,
    notes: List<Note, 0, 2>,
}

#[derive(crate::forms::Form, Debug)]
struct Note {
    text: Line<5>,
}

impl Item {
    fn is_affordable(&self) -> Result<(), Problems<Self>> {
        if self.title.as_str() == "Gold" && self.count.get() > 1 {
            return Err(Problems::with_all("One piece of gold is enough."));
        }
        Ok(())
    }
}

#[derive(crate::forms::Form, Debug)]
struct Order {
    reference: Line<10>,
    items: List<Item, 1, 3>,
}

async fn send(browser: &Browser, fields: &str) -> Result<Order, FormView<Order>> {
    browser.send::<Order>(fields).await.unwrap().result()
}

const TWO: &str = "reference=a&items.0.title=Milk&items.0.count=2&items.0.notes.1.text=cold\
                   &items.2.title=Tea&items.2.count=1&items.1.title=&items.1.count=";

#[tokio::test]
async fn rows_become_their_types_and_empty_ones_are_passed_over() {
    let browser = Browser::new().await;
    let order = send(&browser, TWO).await.unwrap();
    let items: Vec<_> = order
        .items
        .iter()
        .map(|item| (item.title.as_str(), item.count.get(), item.notes.len()))
        .collect();
    assert_eq!(items, [("Milk", 2, 1), ("Tea", 1, 0)]);
    assert_eq!(order.items[0].notes[0].text.as_str(), "cold");
}

#[tokio::test]
async fn all_that_is_wrong_in_rows_is_told_beside_its_field() {
    let browser = Browser::new().await;
    let view = send(
        &browser,
        "reference=&items.0.title=&items.0.count=12&items.1.title=Gold&items.1.count=2\
         &items.2.title=a&items.2.count=1&items.2.notes.0.text=too+long",
    )
    .await
    .unwrap_err();
    let wrong: Vec<&str> = view.untyped.problems.iter().map(|(name, _)| name).collect();
    assert_eq!(
        wrong,
        [
            "reference",
            "items.0.title",
            "items.0.count",
            "items.1",
            "items.2.notes.0.text"
        ]
    );
    let html = shown(&view);
    for part in [
        "<a href=\"#order-items.0.title\">Items 1: Title: Fill this in.</a>",
        "<a href=\"#order-items.1\">Items 2: One piece of gold is enough.</a>",
        "Items 3: Notes 1: Text: Use at most 5",
        "id=\"order-items.0.count\" name=\"items.0.count\" required",
        "aria-describedby=\"order-items.0.count-error\" aria-invalid=\"true\"",
        "name=\"items.2.notes.0.text\"",
        "value=\"too long\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
}

#[tokio::test]
async fn rows_are_shown_again_numbered_anew_with_one_more_to_fill_in() {
    let browser = Browser::new().await;
    let view = send(&browser, &TWO.replace("reference=a", "reference="))
        .await
        .unwrap_err();
    let html = shown(&view);
    assert!(
        html.contains("name=\"items.1.title\" required maxlength=\"10\" value=\"Tea\""),
        "{html}"
    );
    assert!(
        html.contains("name=\"items.2.title\" maxlength=\"10\">"),
        "a spare row is not asked for: {html}"
    );
    assert!(!html.contains("items.3."), "{html}");
    let blank = shown(&Order::view());
    assert!(
        blank.contains("name=\"items.0.title\" required")
            && blank.contains("items.1.title")
            && !blank.contains("items.2.title"),
        "{blank}"
    );
}

#[tokio::test]
async fn a_form_with_rows_is_filled_from_its_values() {
    let browser = Browser::new().await;
    let order = send(&browser, TWO).await.unwrap();
    let html = shown(&order.view_of());
    assert!(
        html.contains("value=\"Milk\"") && html.contains("value=\"cold\""),
        "{html}"
    );
}

#[tokio::test]
async fn a_row_that_cannot_be_is_refused() {
    let browser = Browser::new().await;
    for wrong in [
        "items.3.title=a",
        "items.00.title=a",
        "items.+1.title=a",
        "items.-1.title=a",
        "items.x.title=a",
        "items.0.owner=a",
        "items.0=a",
        "items=a",
        "items.0.title.0=a",
        "reference.0.title=a",
        "items.0.notes.2.text=a",
        "items.0.notes.0.notes.0.text=a",
        "items.0.title=a&items.0.title=b",
        "items.0.notes.0.text=a&items.0.notes.0.text=b",
        "items.18446744073709551616.title=a",
    ] {
        let outcome = browser.send::<Order>(&format!("reference=a&{wrong}")).await;
        assert_eq!(
            outcome.err().map(|error| error.kind()),
            Some(ErrorKind::BadRequest),
            "{wrong}"
        );
    }
    assert_eq!(browser.events().await, ["malicious_extraneous"; 15]);
}

#[tokio::test]
async fn a_list_has_as_many_rows_as_it_says() {
    let browser = Browser::new().await;
    let view = send(&browser, "reference=a").await.unwrap_err();
    assert_eq!(view.problems().of(Order::ITEMS).count(), 1);
    let view = send(&browser, "reference=a&items.0.title=+&items.0.count=")
        .await
        .unwrap_err();
    assert_eq!(view.problems().of(Order::ITEMS).count(), 1);
}

#[test]
fn a_field_in_a_row_is_filled_where_the_list_can_have_the_row() {
    let title = |row: usize| Order::ITEMS.row(row).field(Item::TITLE);
    let html = shown(&Order::view().fill(title(1), "Milk"));
    let (_, second) = html.split_once("name=\"items.1.title\"").unwrap();
    assert!(second.contains(" value=\"Milk\""), "{second}");
    assert!(html.contains("name=\"items.0.title\""), "{html}");
    let html = shown(&Order::view().fill(title(1_000), "Milk"));
    assert!(!html.contains("Milk"), "{html}");
}
