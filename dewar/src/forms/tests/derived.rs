use super::*;
use crate::forms::{
    DangerousHandlerInput, DangerousInput, Described, HandlerInputs, Model, Path, Query,
};

#[test]
fn a_form_describes_its_fields() {
    let names: Vec<_> = SignUp::FIELDS
        .iter()
        .map(|field| (field.name, field.label, field.kind.required))
        .collect();
    assert_eq!(
        names,
        [
            ("email", "Email", true),
            ("password", "Password", true),
            ("age", "Age", false),
            ("about", "About", false)
        ]
    );
    assert_eq!((NewNote::NAME, SignUp::FIELDS[3].rows), ("new-note", 3));
}

#[test]
fn what_a_handler_takes_is_in_the_route_table() {
    let mut described = Described::default();
    <((), Path<i64>, Query<SignUp>, Form<NewFile>) as HandlerInputs>::describe(&mut described);
    let form = described.form.as_ref().unwrap();
    assert_eq!(
        (form.to_string().as_str(), form.multipart),
        ("title, file, more", true)
    );
    let json = serde_json::to_value(&described).unwrap();
    assert_eq!(json["form"]["fields"][1]["max_bytes"], 100);
    assert_eq!(json["form"]["fields"][0]["max_length"], 20);
    assert_eq!(json["query"]["fields"][0]["widget"], "email");
}

#[test]
fn axum_lists_the_arguments_as_we_do() {
    fn described<H: axum::handler::Handler<T, ()>, T: HandlerInputs>(_: H) -> Described {
        let mut described = Described::default();
        T::describe(&mut described);
        described
    }
    async fn nothing() {}
    async fn create(_: Path<i64>, _: axum::extract::State<()>, _: Form<NewNote>) {}
    async fn search(_: Query<SignUp>) {}
    assert!(described(nothing).form.is_none());
    assert!(described(create).form.is_some());
    assert!(described(search).query.is_some());
}

#[test]
fn an_own_argument_brings_its_reason() {
    struct Own;
    impl DangerousHandlerInput for Own {
        const REASON: &'static str = "a test";
    }
    let mut described = Described::default();
    <((), DangerousInput<Own>) as HandlerInputs>::describe(&mut described);
    let dangers: Vec<_> = described.dangers.iter().collect();
    assert_eq!(dangers.len(), 1);
    assert_eq!(dangers[0].name, "DangerousInput<Own>");
    assert_eq!(dangers[0].reason, "a test");
}

#[test]
fn a_form_is_filled_with_its_own_values() {
    let note = NewNote {
        title: Line::parse("Milk").unwrap(),
        body: None,
        colour: Choice::new(Colour::DeepBlue),
        others: vec![Choice::new(Colour::Red)],
        pinned: true,
    };
    let html = shown(&note.view_of());
    assert!(
        html.contains("value=\"Milk\"") && html.contains("value=\"deep_blue\" selected"),
        "{html}"
    );
    assert!(
        html.contains("value=\"red\" checked") && html.contains("value=\"on\" checked"),
        "{html}"
    );
}

/// Its fields have names of the language, of the form's own trait and of another case.
#[derive(crate::forms::Form, Debug)]
struct Named {
    r#type: Line<20>,
    name: Line<20>,
    line2: Option<Line<20>>,
    agreed: bool,
}

#[test]
fn each_field_has_a_path_of_its_name_and_the_form_keeps_its_own() {
    let names = [
        Named::TYPE.any(),
        Named::NAME.any(),
        Named::LINE2.any(),
        Named::AGREED.any(),
    ];
    assert_eq!(
        names.each_ref().map(crate::forms::FieldPath::name),
        ["type", "name", "line2", "agreed"]
    );
    assert_eq!(<Named as Model>::NAME, "named");
}

#[test]
fn a_value_fills_its_field_as_the_page_shows_it() {
    let html = shown(&Named::view().fill_value(Named::AGREED, &true));
    assert!(html.contains(" checked"), "{html}");
    let html = shown(&Named::view().fill_value(Named::AGREED, &false));
    assert!(!html.contains(" checked"), "{html}");
}
