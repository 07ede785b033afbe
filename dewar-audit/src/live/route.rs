//! A route: one kind of request, whatever ids stand in its path.

use super::call::Call;
use super::dom::Form;
use super::point::Point;

/// A request that was found, and where it belongs.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// The path with `{}` for each id.
    pub(super) pattern: String,
    pub(super) call: Call,
    /// The segments of the path that a visitor chooses.
    pub(super) segments: Vec<usize>,
    /// The page with the form, to read its hidden fields again.
    pub(super) page: Option<String>,
    pub(super) form: Option<Form>,
    /// Why it is not sent.
    pub(super) danger: Option<&'static str>,
    /// The source that named it.
    pub(super) who: usize,
    /// Its parameters were guessed.
    pub(super) is_guess: bool,
}

impl Route {
    pub(super) fn new(call: Call, who: usize) -> Self {
        let segments = id_segments(&call.path);
        let pattern = pattern(&call.path, &segments);
        let danger = danger(&call.target(), "");
        Self {
            pattern,
            call,
            segments,
            page: None,
            form: None,
            danger,
            who,
            is_guess: false,
        }
    }

    /// The same request once: its method, pattern and the names of its fields.
    pub(super) fn key(&self) -> String {
        let mut names: Vec<&str> = self
            .call
            .query
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        let body = match &self.call.body {
            super::call::Body::Form(pairs) => pairs
                .iter()
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>()
                .join(","),
            super::call::Body::Json(serde_json::Value::Object(fields)) => {
                fields.keys().cloned().collect::<Vec<_>>().join(",")
            }
            super::call::Body::Multipart(parts) => parts
                .iter()
                .map(|part| part.name.clone())
                .collect::<Vec<_>>()
                .join(","),
            super::call::Body::Json(_) | super::call::Body::None | super::call::Body::Raw(..) => {
                String::new()
            }
        };
        format!(
            "{} {}?{}#{body}",
            self.call.method,
            self.pattern,
            names.join("&")
        )
    }

    /// The name of a parameter as reports write it.
    pub(super) fn parameter(&self, point: &Point) -> String {
        point.name(&self.call)
    }

    /// Whether a field of it takes a password.
    pub(super) fn takes_password(&self) -> bool {
        self.form
            .as_ref()
            .is_some_and(|form| form.fields.iter().any(|field| field.kind == "password"))
            || field_names(&self.call).iter().any(|name| is_password(name))
    }
}

pub(super) fn field_names(call: &Call) -> Vec<String> {
    use super::call::Body;
    match &call.body {
        Body::Form(pairs) => pairs.iter().map(|(name, _)| name.clone()).collect(),
        Body::Json(serde_json::Value::Object(fields)) => fields.keys().cloned().collect(),
        Body::Multipart(parts) => parts.iter().map(|part| part.name.clone()).collect(),
        Body::Json(_) | Body::None | Body::Raw(..) => {
            call.query.iter().map(|(name, _)| name.clone()).collect()
        }
    }
}

pub(super) fn is_password(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["passw", "pwd", "passphrase", "pword"]
        .iter()
        .any(|part| name.contains(part))
        || name == "pass"
}

/// Whether a segment is an id rather than a name of the program's.
pub(super) fn is_id(segment: &str) -> bool {
    let digits = segment.chars().filter(char::is_ascii_digit).count();
    let is_hex = segment.len() >= 8
        && segment.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
        && digits > 0;
    let is_number = !segment.is_empty() && digits == segment.len();
    let is_token = segment.len() >= 16 && digits >= 3 && !segment.contains('.');
    let is_template = segment.contains('{')
        || segment.starts_with(':')
        || segment.starts_with("%7B")
        || segment.starts_with('<')
        || segment.contains("%3C");
    is_hex || is_number || is_token || is_template
}

fn id_segments(path: &str) -> Vec<usize> {
    path.split('/')
        .enumerate()
        .filter(|(_, segment)| is_id(segment) || segment.contains('@') || segment.starts_with("zq"))
        .map(|(at, _)| at)
        .collect()
}

pub(super) fn pattern(path: &str, segments: &[usize]) -> String {
    let parts = path.split('/').enumerate();
    let parts = parts.map(|(at, segment)| {
        if segments.contains(&at) {
            "{}"
        } else {
            segment
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Why an address or a form is not sent unless told: it may end the session, or take away what is there.
pub(super) fn danger(target: &str, words: &str) -> Option<&'static str> {
    const ENDS: [&str; 8] = [
        "logout", "log-out", "log_out", "signout", "sign-out", "sign_out", "logoff", "abmelden",
    ];
    const TAKES: [&str; 14] = [
        "delete",
        "remove",
        "destroy",
        "drop",
        "purge",
        "wipe",
        "unsubscribe",
        "deactivate",
        "disable",
        "revoke",
        "reset",
        "truncate",
        "shutdown",
        "loeschen",
    ];
    const PASSWORD: [&str; 8] = [
        "chpass",
        "changepass",
        "change-pass",
        "change_pass",
        "password/change",
        "update_password",
        "new-password",
        "setpassword",
    ];
    let path = target.split('?').next().unwrap_or_default().to_lowercase();
    let query = target
        .split_once('?')
        .map(|(_, query)| query.to_lowercase())
        .unwrap_or_default();
    let is_word = |text: &str, word: &str| {
        text.split(|c: char| !c.is_alphanumeric())
            .any(|part| part == word)
    };
    if ENDS
        .iter()
        .any(|word| path.contains(word) || query.contains(word))
        || is_word(words, "logout")
    {
        return Some("it ends the session");
    }
    if TAKES.iter().any(|word| {
        is_word(&path.replace('_', "-"), word) || is_word(&query, word) || is_word(words, word)
    }) {
        return Some("it takes something away");
    }
    if PASSWORD.iter().any(|word| path.contains(word))
        || (words.contains("change") && words.contains("password"))
    {
        return Some("it changes a password");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_paths_are_one_route() {
        let route = |path: &str| Route::new(Call::get(path), 0).pattern;
        assert_eq!(route("/notes/17/edit"), "/notes/{}/edit");
        assert_eq!(route("/u/6f1c2a9b-1f2e-4a5b-8c7d-000011112222"), "/u/{}");
        assert_eq!(route("/about/us"), "/about/us");
        assert_eq!(route("/api/v1/items"), "/api/v1/items");
    }

    #[test]
    fn what_takes_away_is_seen() {
        for (target, words) in [
            ("/logout", ""),
            ("/notes/1/delete", ""),
            ("/?action=remove", ""),
            ("/user/chpasswd", ""),
            ("/notes/1", "delete this note"),
        ] {
            assert!(danger(target, words).is_some(), "{target}");
        }
        for target in ["/notes", "/presets", "/deleted-scenes", "/user/login"] {
            assert!(danger(target, "").is_none(), "{target}");
        }
    }
}
