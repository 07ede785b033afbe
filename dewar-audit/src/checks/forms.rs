use bytes::Bytes;
use dewar::audit::{Practice, Severity};

use super::{Check, Evidence, Looking, Outcome};
use crate::sources::{Ask, Error, HttpResponse, ListedRoute, Sources, URLENCODED, Visitor};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "forms-unknown-field",
        word: Practice::Forms,
        severity: Severity::Medium,
        what: "the application refuses a form with an unknown field",
        why: "a field that nobody meant to offer (`role`, `is_admin`) may reach the model",
        fix: "read forms into a type of their own and refuse all other fields: `#[derive(Form)]`",
        cwe: Some(915),
        asvs: &["15.3.3", "2.2.1"],
        look: unknown_field,
    },
    Check {
        id: "forms-too-large",
        word: Practice::Forms,
        severity: Severity::High,
        what: "a body that is too large is refused while it is read",
        why: "a few visitors fill the memory or the disk",
        fix: "bound every body: `[forms] body`, and the types of its fields",
        cwe: Some(400),
        asvs: &["5.2.1", "15.2.2"],
        look: too_large,
    },
    Check {
        id: "forms-content-type",
        word: Practice::Forms,
        severity: Severity::Medium,
        what: "a form of another content type is refused",
        why: "two parsers that differ accept what one of them would have refused",
        fix: "take urlencoded and multipart forms, JSON only with a token in a header, and answer the rest with 415",
        cwe: Some(436),
        asvs: &["1.5.3", "2.2.1"],
        look: content_type,
    },
    Check {
        id: "forms-malformed",
        word: Practice::Forms,
        severity: Severity::Medium,
        what: "an invalid form is refused with 4xx",
        why: "a failure that a visitor can cause hides others, and may leave work half done",
        fix: "decode first, and answer an invalid body with 400",
        cwe: Some(20),
        asvs: &["16.5.3", "1.5.3"],
        look: malformed,
    },
];

/// A mebibyte more than the framework's largest setting for texts.
const LARGE: u64 = 17 * 1024 * 1024;
/// If the form accepts a file of this size, the check would only attack the network.
const TOO_LARGE_TO_SEND: u64 = 64 * 1024 * 1024;

/// A public form, opened by a visitor.
struct Opened<'a> {
    route: &'a ListedRoute,
    visitor: Visitor<'a>,
    hidden: Vec<(String, String)>,
}

async fn opened(looks: &Sources) -> Result<Vec<Opened<'_>>, Error> {
    let mut all = Vec::new();
    for route in looks.routes.public_forms() {
        // Without its page there is no token, and the refusal would be about the token.
        if let Some((visitor, hidden)) = looks.open_form(route).await? {
            all.push(Opened {
                route,
                visitor,
                hidden,
            });
        }
    }
    Ok(all)
}

impl Opened<'_> {
    /// The token and the fields, all of them empty.
    fn blank(&self) -> Vec<(String, String)> {
        let fields = self.route.form.iter().flat_map(|form| &form.fields);
        let blank = fields.map(|field| (field.name.clone(), String::new()));
        self.hidden.iter().cloned().chain(blank).collect()
    }

    fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.hidden)
            .finish()
    }

    async fn send(
        &self,
        looks: &Sources,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Option<HttpResponse>, Error> {
        let mut ask = Ask::new("POST", self.route.target())
            .body(content_type, body)
            .by_own_page(&looks.answers.origin());
        // If a token may come in a header, the content type itself has to be the reason of the refusal.
        if let Some((_, token)) = self.hidden.iter().find(|(name, _)| name.contains("csrf")) {
            ask = ask.header("x-csrf-token", token);
        }
        match self.visitor.ask(ask).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_hung_up() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

const NO_FORM: &str = "the route table has no public form, or no public page shows it";

fn unknown_field(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let forms = opened(looks).await?;
        let mut seen = Vec::new();
        for form in &forms {
            let mut fields = form.blank();
            fields.push(("is_admin_zq9".to_owned(), "1".to_owned()));
            let answer = form.visitor.submit(&form.route.target(), &fields).await?;
            seen.extend(unless_refused(&answer, "a form with an unknown field"));
            let all_may_be_blank = !form
                .route
                .form
                .iter()
                .flat_map(|form| &form.fields)
                .any(|field| field.required);
            if !(400..500).contains(&answer.status) || all_may_be_blank {
                continue;
            }
            // The same form without the field: if the response is the same, the application ignored the field.
            let again = form
                .visitor
                .submit(&form.route.target(), &form.blank())
                .await?;
            if again.status == answer.status && again.status == 422 {
                seen.push(Evidence::new(
                    "an unknown field makes no difference",
                    &answer.place,
                ));
            }
        }
        Ok(if forms.is_empty() {
            Outcome::Unasked(NO_FORM)
        } else {
            Outcome::Seen(seen)
        })
    })
}

fn too_large(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let forms = opened(looks).await?;
        let mut seen = Vec::new();
        for form in &forms {
            let declared = form
                .route
                .form
                .iter()
                .flat_map(|form| &form.fields)
                .filter_map(|field| field.max_bytes);
            let size = declared.sum::<u64>().saturating_add(LARGE);
            let Some(size) = usize::try_from(size)
                .ok()
                .filter(|_| size <= TOO_LARGE_TO_SEND)
            else {
                continue;
            };
            let body = format!("{}&zq9={}", form.encoded(), "a".repeat(size));
            // Closing the connection before the whole body is sent is a refusal too.
            if let Some(answer) = form.send(looks, URLENCODED, body).await? {
                seen.extend(unless_refused(&answer, "a body of more than 17 MiB"));
            }
        }
        Ok(if forms.is_empty() {
            Outcome::Unasked(NO_FORM)
        } else {
            Outcome::Seen(seen)
        })
    })
}

fn content_type(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let forms = opened(looks).await?;
        let mut seen = Vec::new();
        for form in &forms {
            for kind in ["application/json", "text/plain", "application/xml", ""] {
                if let Some(answer) = form.send(looks, kind, "{\"zq9\": 1}").await? {
                    let named = if kind.is_empty() {
                        "no content type"
                    } else {
                        kind
                    };
                    seen.extend(unless_refused(&answer, &format!("a form of {named}")));
                }
            }
        }
        Ok(if forms.is_empty() {
            Outcome::Unasked(NO_FORM)
        } else {
            Outcome::Seen(seen)
        })
    })
}

fn malformed(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let forms = opened(looks).await?;
        let mut seen = Vec::new();
        for form in &forms {
            let token = form.encoded();
            let many = (0..5_000)
                .map(|number| format!("&zq{number}="))
                .collect::<String>();
            let urlencoded = [
                (format!("{token}&zq9=%ff%fe"), "a form that is not UTF-8"),
                (
                    format!("{token}&{token}"),
                    "a form with every hidden field twice",
                ),
                (format!("{token}{many}"), "a form of 5000 fields"),
            ];
            for (body, what) in urlencoded {
                if let Some(answer) = form.send(looks, URLENCODED, body).await? {
                    seen.extend(unless_refused(&answer, what));
                }
            }
            let cut = "--zq9\r\ncontent-disposition: form-data; name=\"a\"; filename=\"../../zq9\"\r\n\r\nhalf";
            if let Some(answer) = form
                .send(looks, "multipart/form-data; boundary=zq9", cut)
                .await?
            {
                seen.extend(unless_refused(&answer, "a multipart form that is cut off"));
            }
        }
        Ok(if forms.is_empty() {
            Outcome::Unasked(NO_FORM)
        } else {
            Outcome::Seen(seen)
        })
    })
}

fn unless_refused(answer: &HttpResponse, what: &str) -> Option<Evidence> {
    let refused = (400..500).contains(&answer.status);
    // 503 with `Retry-After` shows a working limit.
    let bounded = answer.status == 503 && !answer.header("retry-after").is_empty();
    (!refused && !bounded).then(|| {
        Evidence::new(
            format!("{what} is answered by {}", answer.status),
            &answer.place,
        )
    })
}
