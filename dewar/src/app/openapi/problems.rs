//! The errors that a route can answer with.

use serde_json::{Map, Value, json};

use crate::app::table::RouteEntry;
use crate::roles::Access;

/// The routes that can answer with a status.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Every route: the connection, the limits of a request, the program itself.
    All,
    /// Routes with a body.
    Body,
    /// Routes whose handler can return an error.
    Fallible,
    /// Routes with a form.
    Form,
    /// Routes with a parameter in the path, or whose handler can return an error.
    Named,
    /// Routes that need a session or a signature.
    SignedIn,
    /// Routes that need a proof or more than a session.
    Guarded,
    /// Routes that change something.
    Unsafe,
}

const TABLE: [(u16, &str, &str, Whose); 19] = [
    (
        400,
        "BadRequest",
        "The request cannot be read, or a parameter of its query breaks a rule.",
        Whose::All,
    ),
    (
        401,
        "Unauthenticated",
        "Nobody is signed in.",
        Whose::SignedIn,
    ),
    (
        403,
        "Forbidden",
        "The caller may not do this, or the proof against cross-site requests is missing.",
        Whose::Guarded,
    ),
    (
        404,
        "NotFound",
        "There is nothing here that the caller may see.",
        Whose::Named,
    ),
    (408, "TooSlow", "The request came too slowly.", Whose::All),
    (
        409,
        "Conflict",
        "The record has changed, or it was done already.",
        Whose::Fallible,
    ),
    (
        411,
        "LengthRequired",
        "The body came without its length.",
        Whose::Body,
    ),
    (
        413,
        "TooLarge",
        "The request is over a limit of size.",
        Whose::Body,
    ),
    (
        414,
        "AddressTooLong",
        "The path and query are too long.",
        Whose::All,
    ),
    (
        415,
        "UnsupportedMediaType",
        "The route does not accept this media type.",
        Whose::Unsafe,
    ),
    (
        417,
        "ExpectationFailed",
        "The header `Expect` has an unknown value.",
        Whose::All,
    ),
    (
        421,
        "Misdirected",
        "The host is not one of this application's.",
        Whose::All,
    ),
    (
        422,
        "Unprocessable",
        "Fields break their rules; `errors` has one entry for each problem.",
        Whose::Form,
    ),
    (
        429,
        "TooManyRequests",
        "Too many requests; `Retry-After` has the seconds to wait.",
        Whose::All,
    ),
    (
        431,
        "HeadersTooLarge",
        "The headers are too large.",
        Whose::All,
    ),
    (500, "Internal", "The program's own fault.", Whose::All),
    (
        501,
        "MethodUnknown",
        "No route accepts this method.",
        Whose::All,
    ),
    (
        503,
        "Busy",
        "There is no room now; `Retry-After` has the seconds to wait.",
        Whose::All,
    ),
    (
        507,
        "InsufficientStorage",
        "The disk is full.",
        Whose::Unsafe,
    ),
];

/// The errors of a route, each with the name of its response.
pub(super) fn problems(entry: &RouteEntry) -> impl Iterator<Item = (u16, &'static str)> {
    let can = |whose| {
        let changes = entry.method != "GET";
        let fallible = entry.gives.fallible;
        let closed = !matches!(entry.access, Access::Public);
        match whose {
            Whose::All => true,
            Whose::Body | Whose::Unsafe => changes,
            Whose::Fallible => fallible,
            Whose::Form => entry.takes.form.is_some(),
            Whose::Guarded => closed || changes,
            Whose::Named => fallible || !entry.takes.parameters.is_empty(),
            Whose::SignedIn => closed,
        }
    };
    let found = TABLE.iter().filter(move |(_, _, _, whose)| can(*whose));
    found
        .map(|(status, name, ..)| (*status, *name))
        .collect::<Vec<_>>()
        .into_iter()
}

/// All errors, by the names of their responses.
pub(super) fn responses() -> Value {
    let responses = TABLE.iter().map(|(_, name, told, whose)| {
        let mut response = described(told);
        // The listener refuses a request that it cannot read in plain words.
        if matches!(whose, Whose::All | Whose::Body)
            && let Some(content) = response
                .pointer_mut("/content")
                .and_then(Value::as_object_mut)
        {
            content.insert("text/plain".to_owned(), json!({}));
        }
        ((*name).to_owned(), response)
    });
    Value::Object(responses.collect())
}

/// A response with problem details; people get a page.
pub(super) fn described(told: &str) -> Value {
    json!({
        "description": told,
        "content": {
            "application/problem+json": { "schema": { "$ref": "#/components/schemas/ProblemDetails" } },
            "text/html": {},
        },
    })
}

/// Problem details (RFC 9457).
pub(super) fn schemas() -> Map<String, Value> {
    let text = |told: &str| json!({ "type": "string", "description": told });
    let problem = json!({
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "required": ["type", "title", "status", "detail", "instance"],
        "properties": {
            "type": text("The kind of the problem; `about:blank` if the status says it all."),
            "title": text("The kind of the problem in a short sentence, in the reader's language."),
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": text("What went wrong this time, in the reader's language."),
            "instance": text("The id of the request, which is in the log."),
            "line": { "type": "integer", "description": "The line of JSON that cannot be read." },
            "column": { "type": "integer", "description": "The byte in that line." },
            "errors": { "type": "array", "items": { "$ref": "#/components/schemas/FieldProblem" } },
        },
    });
    let field = json!({
        "type": "object",
        "description": "The problem of one field.",
        "required": ["pointer", "detail"],
        "properties": {
            "pointer": text("The field, as a JSON Pointer in a URI fragment (RFC 6901): `#/lines/0/amount`."),
            "code": text("The rule, for programs: `missing`, `too-long`, `range`."),
            "detail": text("The rule, in the reader's language."),
        },
    });
    Map::from_iter([
        ("ProblemDetails".to_owned(), problem),
        ("FieldProblem".to_owned(), field),
    ])
}
