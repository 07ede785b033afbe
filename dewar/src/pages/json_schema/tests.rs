use super::*;

struct Branch;

impl JsonSchema for Branch {
    fn schema(schemas: &mut Schemas) -> Value {
        schemas.define::<Self>(
            "Tree",
            |schemas| json!({ "type": "array", "items": Self::schema(schemas) }),
        )
    }
}

mod other {
    use super::{JsonSchema, Schemas, Value, json};

    pub(super) struct Leaf;

    impl JsonSchema for Leaf {
        fn schema(schemas: &mut Schemas) -> Value {
            schemas.define::<Self>("Tree", |_| json!({ "type": "null" }))
        }
    }
}

#[test]
fn a_type_that_contains_itself_ends_and_two_types_of_one_name_stay_two() {
    let mut schemas = Schemas::default();
    let first = Branch::schema(&mut schemas);
    let second = <Vec<other::Leaf>>::schema(&mut schemas);
    assert_eq!(first["$ref"], "#/components/schemas/Tree");
    assert_eq!(second["items"]["$ref"], "#/components/schemas/Tree2");
    assert_eq!(schemas.named()["Tree"]["items"], first);
    assert_eq!(Branch::schema(&mut schemas), first);
    assert_eq!(schemas.named().len(), 2);
}

#[derive(serde::Serialize, crate::pages::JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Ticket {
    id_number: i64,
    /// The first words.
    ///
    /// And more.
    #[serde(rename = "subject")]
    title: Line<80>,
    #[serde(skip)]
    _key: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<i64>,
    #[serde(flatten)]
    owner: Owner,
    state: State,
    price: Decimal<2, 0, 9>,
    outcome: Vec<Outcome>,
}

#[derive(serde::Serialize, crate::pages::JsonSchema)]
struct Owner {
    owner: i64,
}

#[derive(serde::Serialize, crate::pages::JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    InProgress,
    #[serde(rename = "done")]
    Closed,
}

#[derive(serde::Serialize, crate::pages::JsonSchema)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
enum Outcome {
    PaidBack { in_cents: i64 },
    Nothing,
}

#[derive(serde::Serialize, crate::pages::JsonSchema)]
enum Either<T> {
    Left(T),
    Right,
}

#[derive(serde::Serialize, crate::pages::JsonSchema)]
struct Id(i64);

use dewar::forms::{Decimal, Line};

fn names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object
        .as_object()
        .unwrap()
        .keys()
        .map(|key| &**key)
        .collect();
    names.sort_unstable();
    names
}

/// The derive reads the same attributes as serde, so what it states is what serde writes.
#[test]
fn the_derive_states_what_serde_writes() {
    let ticket = Ticket {
        id_number: 1,
        title: Line::parse("Broken").unwrap(),
        _key: 0,
        closed_at: Some(2),
        owner: Owner { owner: 3 },
        state: State::InProgress,
        price: Decimal::from_units(150).unwrap(),
        outcome: vec![Outcome::PaidBack { in_cents: 5 }, Outcome::Nothing],
    };
    let written = serde_json::to_value(&ticket).unwrap();
    let mut schemas = Schemas::default();
    Ticket::schema(&mut schemas);
    let own = &schemas.named()["Ticket"]["allOf"][0];
    let mut stated = names(&own["properties"]);
    stated.extend(names(&schemas.named()["Owner"]["properties"]));
    stated.sort_unstable();
    assert_eq!(stated, names(&written));
    assert_eq!(
        own["properties"]["subject"]["description"],
        "The first words."
    );
    let required = json!(["idNumber", "subject", "state", "price", "outcome"]);
    assert_eq!(own["required"], required);
    assert_eq!(own["properties"]["price"]["type"], "string");
    assert_eq!(written["price"], "1.50");
    let states = &schemas.named()["State"]["enum"];
    assert_eq!(states, &json!(["in-progress", "done"]));
    assert!(states.as_array().unwrap().contains(&written["state"]));
    assert_eq!(serde_json::to_value(State::Closed).unwrap(), "done");
    let [paid, nothing] = schemas.named()["Outcome"]["oneOf"]
        .as_array()
        .unwrap()
        .as_slice()
    else {
        panic!("two outcomes")
    };
    for (place, stated) in [paid, nothing].into_iter().enumerate() {
        let written = &written["outcome"][place];
        assert_eq!(names(&stated["properties"]), names(written));
        assert_eq!(stated["properties"]["kind"]["const"], written["kind"]);
    }
}

#[test]
fn an_enum_with_values_is_one_of_its_variants() {
    let mut schemas = Schemas::default();
    Either::<Id>::schema(&mut schemas);
    let either = &schemas.named()["Either"]["oneOf"];
    assert_eq!(either[0]["enum"], json!(["Right"]));
    assert_eq!(names(&either[1]["properties"]), ["Left"]);
    assert_eq!(
        serde_json::to_value(Either::Left(Id(3))).unwrap(),
        json!({ "Left": 3 })
    );
    assert_eq!(serde_json::to_value(Either::<Id>::Right).unwrap(), "Right");
    assert_eq!(schemas.named()["Id"]["type"], "integer");
}

#[test]
fn null_is_one_more_value_of_every_kind_of_schema() {
    let mut schemas = Schemas::default();
    let mut of = |schema: fn(&mut Schemas) -> Value| schema(&mut schemas);
    assert_eq!(
        of(<Option<i32>>::schema)["type"],
        json!(["integer", "null"])
    );
    assert_eq!(of(<Option<f64>>::schema)["type"], json!(["number", "null"]));
    assert_eq!(of(<Option<Value>>::schema), json!({}));
    assert_eq!(of(<Option<Branch>>::schema)["anyOf"][1]["type"], "null");
    let choice = or_null(json!({ "type": "string", "enum": ["a"] }));
    assert_eq!(choice["enum"], json!(["a", null]));
}
