use super::*;
use crate::forms::{Hidden, Offered, Pick};
use crate::pages::{ErrorKind, Languages, NeedsToken};

#[derive(crate::forms::Form, Debug)]
struct Rename {
    version: Hidden<Int<0, 1_000>>,
    title: Line<20>,
}

#[derive(crate::forms::Form, Debug)]
struct Delete {
    version: Hidden<Int<0, 1_000>>,
}

impl Browser {
    /// The value of a hidden field on a page of this session.
    pub(super) fn carried<T: crate::forms::Model>(&self, view: &FormView<T>, name: &str) -> String {
        let html = view
            .value_at(&self.gate, &Languages::english().first(), None)
            .to_string();
        let (_, rest) = html
            .split_once(&format!(" name=\"{name}\" value=\""))
            .unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }
}

#[tokio::test]
async fn a_hidden_value_comes_back_as_it_went_and_nobody_reads_it() {
    let browser = Browser::new().await;
    let view = Rename::view().fill(Rename::VERSION, 777);
    let sealed = browser.carried(&view, "version");
    assert!(
        !view
            .value_at(&browser.gate, &Languages::english().first(), None)
            .to_string()
            .contains("777")
    );
    let form = browser
        .send::<Rename>(&format!("version={sealed}&title=a"))
        .await;
    assert_eq!(form.unwrap().result().unwrap().version.get(), 777);
    // If the page comes back for another reason, it carries the same value.
    let form = browser
        .send::<Rename>(&format!("version={sealed}&title="))
        .await;
    let again = form.unwrap().result().unwrap_err();
    assert_eq!(browser.carried(&again, "version"), sealed);
    let again = Rename {
        version: Hidden::new(Int::new(9).unwrap()),
        title: Line::parse("a").unwrap(),
    };
    let sealed = browser.carried(&again.view_of(), "version");
    let form = browser
        .send::<Rename>(&format!("version={sealed}&title=a"))
        .await;
    assert_eq!(form.unwrap().result().unwrap().version.get(), 9);
}

#[tokio::test]
async fn a_hidden_value_that_was_altered_or_is_anothers_ends_the_request_and_is_noted() {
    let (browser, other) = (Browser::new().await, Browser::new().await);
    let own = browser.carried(&Rename::view().fill(Rename::VERSION, 7), "version");
    let foreign = other.carried(&Rename::view().fill(Rename::VERSION, 7), "version");
    let other_form = browser.carried(&Delete::view().fill(Delete::VERSION, 7), "version");
    let (kept, _) = own.split_at(own.len() - 4);
    let altered = format!("{kept}AAAA");
    for wrong in ["7", "", &altered, &foreign, &other_form] {
        let outcome = browser
            .send::<Rename>(&format!("version={wrong}&title=a"))
            .await;
        assert_eq!(
            outcome.err().map(|error| error.kind()),
            Some(ErrorKind::BadRequest),
            "{wrong}"
        );
    }
    let outcome = browser.send::<Rename>("title=a").await;
    assert!(outcome.is_err(), "left out");
    assert_eq!(browser.events().await, ["malicious_extraneous"; 6]);
    let passes = browser
        .send::<Rename>(&format!("version={own}&title=a"))
        .await;
    assert!(passes.unwrap().result().is_ok());
}

#[derive(Debug, PartialEq)]
struct Shelf(i64, &'static str);

#[derive(crate::forms::Form, Debug)]
struct NewBook {
    title: Line<20>,
    shelf: Pick<Shelf>,
    spare: Option<Pick<Shelf>>,
    seen: Vec<Pick<Shelf>>,
}

fn shelves() -> Offered<Shelf> {
    Offered::new(vec![Shelf(1, "Plays"), Shelf(7, "<Sea>")], |shelf| {
        (shelf.0, shelf.1)
    })
}

#[tokio::test]
async fn a_record_that_was_offered_is_had_and_any_other_is_refused_and_noted() {
    let (browser, shelves) = (Browser::new().await, shelves());
    let send = async |fields: &str| {
        let form = browser.send::<NewBook>(fields).await.unwrap();
        form.offer(NewBook::SHELF, &shelves)
            .offer(NewBook::SPARE, &shelves)
            .offer(NewBook::SEEN, &shelves)
            .result()
    };
    let book = send("title=a&shelf=7&spare=&seen=1&seen=7").await.unwrap();
    assert_eq!(shelves.chosen(&book.shelf).unwrap(), &Shelf(7, "<Sea>"));
    assert!(book.spare.is_none() && book.seen.len() == 2);
    assert!(browser.events().await.is_empty());
    for wrong in [
        "shelf=2",
        "shelf=07",
        "shelf=7&spare=8",
        "shelf=7&seen=1&seen=3",
    ] {
        let view = send(&format!("title=a&{wrong}")).await.unwrap_err();
        assert_eq!(view.problems().iter().count(), 1, "{wrong}");
    }
    assert_eq!(
        browser.events().await,
        ["input_validation_discrete_fail"; 4]
    );
    let missing = send("title=a&shelf=").await.unwrap_err();
    assert_eq!(missing.problems().of(NewBook::SHELF).count(), 1);
    let mut events = browser.events().await;
    events.retain(|event| event == "input_validation_discrete_fail");
    assert_eq!(
        events.len(),
        4,
        "nothing was picked, which anybody may forget"
    );
}

#[tokio::test]
async fn a_pick_that_was_never_compared_is_no_record() {
    let browser = Browser::new().await;
    let form = browser.send::<NewBook>("title=a&shelf=2").await.unwrap();
    let book = form.result().unwrap();
    let error = shelves().chosen(&book.shelf).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
}

#[tokio::test]
async fn what_is_offered_is_drawn_and_what_was_picked_stays_picked() {
    let browser = Browser::new().await;
    let html = shown(
        &NewBook::view()
            .offer(NewBook::SHELF, &shelves())
            .fill(NewBook::SHELF, 1),
    );
    assert!(
        html.contains("<option value=\"1\" selected>Plays</option>")
            && html.contains("<option value=\"7\">&lt;Sea&gt;</option>"),
        "{html}"
    );
    let form = browser.send::<NewBook>("title=&shelf=7").await.unwrap();
    let again = form.offer(NewBook::SHELF, &shelves()).result().unwrap_err();
    assert!(shown(&again).contains("<option value=\"7\" selected>"));
}
