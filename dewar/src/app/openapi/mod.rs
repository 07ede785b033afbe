//! OpenAPI 3.1 of the route table: the routes for programs, with everything that they take and answer. It has no facts of
//! its own, so it cannot disagree with the program.

mod problems;
mod security;

use serde_json::{Map, Value, json};

use super::table::{RouteEntry, RouteTable};
use crate::forms::{FormEncoding, FormSpec};
use crate::pages::{OutputSpec, Schemas};
use problems::problems;
use security::Security;

impl RouteTable {
    /// The document (OpenAPI 3.1) of the routes for programs: those whose handler answers with
    /// [`Json`](crate::pages::Json), [`Created`](crate::pages::Created), [`NoContent`](crate::pages::NoContent), a text or a
    /// file. Pages for people are not in it. The same table always gives the same document.
    ///
    /// ```
    /// use dewar::pages::{Json, JsonSchema};
    /// use dewar::{App, get};
    /// #[derive(serde::Serialize, JsonSchema)]
    /// struct Ticket { id: i64, title: String }
    /// async fn list() -> Json<Vec<Ticket>> { Json(Vec::new()) }
    /// let app = App::in_directory(std::env::temp_dir())?.public([get("/api/tickets", list)]);
    /// let document = app.route_table().openapi("Help desk", "1.0.0");
    /// let answer = &document["paths"]["/api/tickets"]["get"]["responses"]["200"];
    /// assert_eq!(answer["content"]["application/json"]["schema"]["items"]["$ref"], "#/components/schemas/Ticket");
    /// # Ok::<(), dewar::Error>(())
    /// ```
    #[must_use]
    pub fn openapi(&self, title: &str, version: &str) -> Value {
        let mut schemas = Schemas::default();
        let mut security = Security::default();
        let mut paths: Map<String, Value> = Map::new();
        for entry in self.entries() {
            if !entry.gives.is_for_programs() {
                continue;
            }
            let operation = operation(entry, &mut schemas, &mut security);
            let path = entry.path.replace("{*", "{");
            let methods = paths.entry(path).or_insert_with(|| json!({}));
            if let Some(methods) = methods.as_object_mut() {
                methods.insert(entry.method.to_ascii_lowercase(), operation);
            }
        }
        let mut named = Map::from_iter(schemas.named().clone());
        named.extend(problems::schemas());
        json!({
            "openapi": "3.1.0",
            "info": { "title": title, "version": version },
            "paths": paths,
            "components": {
                "schemas": named,
                "responses": problems::responses(),
                "securitySchemes": security.schemes(),
            },
        })
    }
}

fn operation(entry: &RouteEntry, schemas: &mut Schemas, security: &mut Security) -> Value {
    let mut operation = Map::new();
    let mut put = |name: &str, value: Value| operation.insert(name.to_owned(), value);
    put("operationId", id(entry).into());
    put("tags", json!([entry.access.to_string()]));
    put("parameters", parameters(entry));
    if let Some(form) = &entry.takes.form {
        put("requestBody", body(form));
    }
    put("responses", responses(entry, schemas));
    put("security", security.of(entry));
    Value::Object(operation)
}

/// `get_api_tickets_id`: one for each method and path.
fn id(entry: &RouteEntry) -> String {
    let mut id = entry.method.to_ascii_lowercase();
    for letter in entry.path.chars() {
        match letter {
            letter if letter.is_ascii_alphanumeric() => id.push(letter),
            // `/a-b` and `/a/b` are two paths.
            '-' => id.push_str("__"),
            '/' => id.push('_'),
            _ => {}
        }
    }
    id
}

fn parameters(entry: &RouteEntry) -> Value {
    let of_path = entry.takes.parameters.iter().map(|parameter| {
        json!({ "name": parameter.name, "in": "path", "required": true, "schema": parameter.schema })
    });
    let fields = entry.takes.query.iter().flat_map(|query| query.fields);
    let of_query = fields
        .filter(|field| field.kind.items.is_empty())
        .map(|field| {
            let (name, required) = (field.name, field.kind.required);
            json!({ "name": name, "in": "query", "required": required, "schema": FormSpec::text(field) })
        });
    of_path.chain(of_query).collect()
}

fn body(form: &FormSpec) -> Value {
    let mut content = Map::new();
    let mut add = |media_type: &str, encoding| {
        let schema = form.body(encoding);
        content.insert(media_type.to_owned(), json!({ "schema": schema }));
    };
    let needs_file = |field: &crate::forms::FieldSpec| {
        field.kind.widget == crate::forms::Widget::File && field.kind.required
    };
    if !form.fields.iter().any(needs_file) {
        add("application/json", FormEncoding::Json);
    }
    if form.multipart && !form.is_array() {
        add("multipart/form-data", FormEncoding::Multipart);
    }
    json!({ "required": true, "content": content })
}

fn responses(entry: &RouteEntry, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for (status, name) in problems(entry) {
        let reference = format!("#/components/responses/{name}");
        responses.insert(status.to_string(), json!({ "$ref": reference }));
    }
    for (status, text) in &entry.gives.also {
        responses.insert(status.to_string(), problems::described(text));
    }
    for answer in &entry.gives.answers {
        responses.insert(answer.status.to_string(), success(answer, schemas));
    }
    Value::Object(responses)
}

fn success(answer: &OutputSpec, schemas: &mut Schemas) -> Value {
    let told = match answer.status {
        201 => "It was created.",
        204 => "It is done.",
        206 => "A part of the file.",
        304 => "The file has not changed.",
        412 => "The file is another one by now.",
        416 => "The file has no such part.",
        303 => "It is at another address.",
        _ if answer.untyped => "JSON whose form the program does not state.",
        _ => "The answer.",
    };
    let mut response = Map::new();
    response.insert("description".to_owned(), told.into());
    if let Some(media_type) = answer.media_type {
        let schema = answer.schema(schemas);
        let content = schema.map_or_else(|| json!({}), |schema| json!({ "schema": schema }));
        response.insert("content".to_owned(), json!({ media_type: content }));
    }
    if !answer.headers.is_empty() {
        let headers = answer.headers.iter().map(|(name, told)| {
            let header = json!({ "description": told, "schema": { "type": "string" } });
            ((*name).to_owned(), header)
        });
        response.insert("headers".to_owned(), Value::Object(headers.collect()));
    }
    Value::Object(response)
}
