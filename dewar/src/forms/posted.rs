use axum::body::Body;
use axum::extract::{FromRequest, Request};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use zeroize::Zeroizing;

use super::error::Refused;
use super::multipart::{Multipart, boundary};
use super::received::{Arrived, Discrete};
use super::{
    Argument, Described, FieldSpec, FormSpec, FormView, Intake, Model, Offered, Problem, Problems,
    Received, events, incoming, json, urlencoded,
};
use crate::csrf::{self, CsrfChecked, Gate};
use crate::pages::{Error, ErrorKind, Page};

/// A form that a visitor sent, with a token of this session: the argument of a handler.
///
/// It is read from `application/x-www-form-urlencoded`, `multipart/form-data` or, for a script that has the token in the
/// header `x-csrf-token`, from `application/json`, within the bounds of its types and of
/// [`Config`](super::Config). A field that is unknown or comes twice, or bytes that cannot be decoded, end the request
/// (400). Fields that break their rules do not: the page is shown again with what was typed and all that is wrong.
///
/// ```
/// use dewar::forms::Line;
/// use dewar::{Form, Redirect};
/// #[derive(Form)]
/// struct NewNote { title: Line<80> }
///
/// async fn create(form: Form<NewNote>) -> dewar::Result<Redirect> {
///     let (note, sheet) = form.sheet("notes/new.html")?; // or the same page again, at 422
///     if note.title.as_str() == "Taken" {
///         return Err(sheet.refuse("title", "There is a note of this title.")); // what only the database knows
///     }
///     Ok(Redirect::to("/notes"))
/// }
/// ```
#[derive(Debug)]
#[must_use = "a form is read by `or_show`, `sheet` or `result`"]
pub struct Form<T: Model> {
    model: Option<T>,
    view: FormView,
    name: &'static str,
    reader: Reads,
    /// The request, where a value may still turn out not to have been offered.
    parts: Option<Box<Parts>>,
    /// Nothing is done with it; that it is here is the point.
    _checked: CsrfChecked,
}

impl<T: Model> Form<T> {
    /// What came in, or this page again at 422, with the form under the name `form`.
    ///
    /// # Errors
    /// The page, as an [`Error`].
    pub fn or_show(self, page: impl Into<Page>) -> Result<T, Error> {
        self.sheet(page).map(|(model, _)| model)
    }

    /// What came in, and the means to refuse it later, such as for a name that the database knows already.
    ///
    /// # Errors
    /// The page, as an [`Error`].
    pub fn sheet(self, page: impl Into<Page>) -> Result<(T, Sheet), Error> {
        let sheet = Sheet {
            view: self.view,
            reader: self.reader,
            name: self.name,
            page: page.into(),
        };
        match self.model {
            Some(model) => Ok((model, sheet)),
            None => Err(sheet.show()),
        }
    }

    /// What came in, or the form with all that is wrong, for a handler that answers in its own way.
    ///
    /// # Errors
    /// The form to show again.
    pub fn result(self) -> Result<T, FormView> {
        self.model.ok_or(self.view)
    }

    /// Offers these records for a [`Pick`](super::Pick): they are drawn where the page comes again, and a value that is
    /// none of them is refused and noted as a security event.
    pub fn offer<P>(mut self, field: &'static str, offered: &Offered<P>) -> Self {
        self.view = self.view.offer(field, offered);
        if self.view.picked_otherwise(field) {
            self.view.add(Problems::at(field, Problem::not_offered()));
            self.model = None;
            if let Some(parts) = &self.parts {
                events::discrete(parts, self.view.problems());
            }
        }
        self
    }

    /// Shows it under another name than `form`, on a page of several forms.
    pub fn shown_as(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }
}

/// A form that came in whole, and the page that it came from.
#[derive(Debug)]
pub struct Sheet {
    view: FormView,
    reader: Reads,
    name: &'static str,
    page: Page,
}

impl Sheet {
    /// The page again at 422, with what was typed and this problem beside a field.
    #[must_use]
    pub fn refuse(self, field: &'static str, problem: impl Into<Problem>) -> Error {
        self.refuse_all(Problems::at(field, problem))
    }

    /// The page again at 422, with what was typed and these problems.
    #[must_use]
    pub fn refuse_all(mut self, problems: Problems) -> Error {
        self.view.add(problems);
        self.show()
    }

    fn show(self) -> Error {
        if self.reader == Reads::Problems {
            return Error::new(ErrorKind::Unprocessable).fields(self.view.problems().iter());
        }
        Error::page(
            self.page
                .form(self.name, self.view)
                .status(StatusCode::UNPROCESSABLE_ENTITY),
        )
    }
}

/// What the sender of a form can read, where the form is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// The page, once more.
    Page,
    /// All problems as data (RFC 9457).
    Problems,
}

impl Reads {
    /// Browsers name `text/html`. What names JSON, or sent JSON and names nothing, is a script.
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let accepts = text(ACCEPT).unwrap_or("*/*");
        let sent_json = text(CONTENT_TYPE).is_some_and(|kind| is_kind(kind, "application/json"));
        if !accepts.contains("text/html") && (accepts.contains("json") || sent_json) {
            Self::Problems
        } else {
            Self::Page
        }
    }
}

impl<T: Model> Argument for Form<T> {
    fn describe(route: &mut Described) {
        route.form = Some(FormSpec::new(T::FIELDS));
    }
}

impl<S: Send + Sync, T: Model> FromRequest<S> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let gate = parts
            .extensions
            .get::<Gate>()
            .ok_or_else(|| Error::missing("Gate"))?;
        let intake = parts
            .extensions
            .get::<Intake>()
            .ok_or_else(|| Error::missing("Intake"))?;
        let reader = Reader {
            gate,
            intake,
            headers: &parts.headers,
            received: Received::form::<T>(gate),
            checked: None,
        };
        match reader.read(body).await {
            Ok((received, checked)) => {
                let (model, view, discrete) = received.read::<T>();
                match discrete {
                    Discrete::Altered(field) => {
                        return Err(turn_away(&parts, Refused::Altered(field)));
                    }
                    Discrete::Failed => events::discrete(&parts, view.problems()),
                    Discrete::Held => {}
                }
                let picks = T::FIELDS.iter().any(|field| field.kind.picked);
                Ok(Self {
                    model,
                    view,
                    name: "form",
                    reader: Reads::of(&parts.headers),
                    parts: picks.then(|| Box::new(parts)),
                    _checked: checked,
                })
            }
            Err(refused) => Err(turn_away(&parts, refused)),
        }
    }
}

/// A refusal as an answer and, where only an attack or a broken program sends such a thing, as a security event.
pub(super) fn turn_away(parts: &Parts, refused: Refused) -> Error {
    if let Refused::Token(refusal) = refused {
        events::token(parts, refusal);
    } else if refused.is_extraneous() {
        events::extraneous(parts, &refused);
    }
    refused.into()
}

/// One form on its way in.
struct Reader<'a> {
    gate: &'a Gate,
    intake: &'a Intake,
    headers: &'a HeaderMap,
    received: Received,
    checked: Option<CsrfChecked>,
}

impl Reader<'_> {
    async fn read(mut self, body: Body) -> Result<(Received, CsrfChecked), Refused> {
        if let Some(token) = self.headers.get(csrf::HEADER) {
            self.check(token.to_str().ok())?;
        }
        let mut types = self.headers.get_all(CONTENT_TYPE).iter();
        let (Some(Ok(kind)), None) = (types.next().map(|kind| kind.to_str()), types.next()) else {
            return Err(Refused::ContentType);
        };
        if is_kind(kind, "application/x-www-form-urlencoded") {
            self.urlencoded(body).await?;
        } else if is_kind(kind, "application/json") {
            self.json(body).await?;
        } else {
            let boundary = boundary(kind).ok_or(Refused::ContentType)?;
            self.multipart(Multipart::new(body, boundary)).await?;
        }
        let checked = self
            .checked
            .take()
            .ok_or(Refused::Token(csrf::Refusal::NoToken))?;
        Ok((self.received, checked))
    }

    fn check(&mut self, token: Option<&str>) -> Result<(), Refused> {
        self.checked = Some(self.gate.verify(token).map_err(Refused::Token)?);
        Ok(())
    }

    async fn urlencoded(&mut self, body: Body) -> Result<(), Refused> {
        let config = self.intake.config();
        let text = whole(body, self.headers, config.body).await?;
        let mut pairs = urlencoded::pairs(&text, config.fields)?;
        if let Some(place) = pairs.iter().position(|(name, _)| name == csrf::FIELD) {
            let (_, token) = pairs.remove(place);
            self.check(Some(&token))?;
        }
        if self.checked.is_none() {
            return Err(Refused::Token(csrf::Refusal::NoToken));
        }
        for (name, value) in pairs {
            self.received.add(&name, Arrived::Text(value))?;
        }
        Ok(())
    }

    /// A script has the token at hand before it sends anything, so it stands in the header, and no byte is read without.
    async fn json(&mut self, body: Body) -> Result<(), Refused> {
        if self.checked.is_none() {
            return Err(Refused::Token(csrf::Refusal::NoToken));
        }
        let config = self.intake.config();
        let text = whole(body, self.headers, config.body).await?;
        json::read(&text, config.fields, &mut self.received)
    }

    async fn multipart(&mut self, mut multipart: Multipart) -> Result<(), Refused> {
        let config = self.intake.config();
        let (mut fields, mut files, mut texts, mut tokens) = (0, 0, 0, 0);
        while let Some(head) = multipart.part().await? {
            fields += 1;
            if fields > config.fields {
                return Err(Refused::TooLarge(format!(
                    "A form has at most {} fields.",
                    config.fields
                )));
            }
            if head.name == csrf::FIELD {
                tokens += 1;
                if tokens > 1 {
                    return Err(Refused::TwiceSent(csrf::FIELD));
                }
                let token = text(&mut multipart, 256).await?;
                self.check(Some(&token))?;
                continue;
            }
            // Before a field is looked at, and long before a byte of a file is written.
            if self.checked.is_none() {
                return Err(Refused::Token(csrf::Refusal::NoToken));
            }
            let spec = self.received.expects(&head.name)?;
            let arrived = match head.file_name {
                Some(name) => {
                    let Some(file) = self
                        .file(&mut multipart, spec, &name, head.content_type)
                        .await?
                    else {
                        continue;
                    };
                    files += 1;
                    if files > config.files {
                        return Err(Refused::TooLarge(format!(
                            "A form has at most {} files.",
                            config.files
                        )));
                    }
                    Arrived::File(file)
                }
                None => {
                    let text =
                        text(&mut multipart, spec.kind.text_bytes().min(config.body)).await?;
                    texts += text.len();
                    if texts > config.body {
                        return Err(Refused::TooLarge(format!(
                            "A form has at most {} bytes of text.",
                            config.body
                        )));
                    }
                    Arrived::Text(text)
                }
            };
            self.received.add(&head.name, arrived)?;
        }
        Ok(())
    }

    /// Writes a file into quarantine; none where the visitor chose none.
    async fn file(
        &self,
        multipart: &mut Multipart,
        spec: &FieldSpec,
        name: &str,
        claimed_type: Option<String>,
    ) -> Result<Option<incoming::Incoming>, Refused> {
        let Some(most) = spec.kind.max_bytes.filter(|_| spec.kind.is_file()) else {
            return Err(Refused::Malformed("there is a file where a text belongs"));
        };
        let Some(first) = multipart.chunk().await? else {
            if name.is_empty() {
                return Ok(None);
            }
            let empty = incoming::Arriving::create(self.intake.quarantine())
                .await
                .map_err(Refused::Quarantine)?;
            return empty
                .finish(name, claimed_type)
                .await
                .map(Some)
                .map_err(Refused::Quarantine);
        };
        let mut arriving = incoming::Arriving::create(self.intake.quarantine())
            .await
            .map_err(Refused::Quarantine)?;
        let mut next = Some(first);
        while let Some(bytes) = next {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if arriving.size().saturating_add(length) > most {
                return Err(Refused::TooLarge(format!(
                    "{}: a file has at most {}.",
                    spec.label,
                    super::html::size(most)
                )));
            }
            arriving.write(&bytes).await.map_err(Refused::Quarantine)?;
            next = multipart.chunk().await?;
        }
        arriving
            .finish(name, claimed_type)
            .await
            .map(Some)
            .map_err(Refused::Quarantine)
    }
}

/// Whether a content type is this one, in UTF-8.
pub(super) fn is_kind(named: &str, kind: &str) -> bool {
    let (named, parameter) = named.split_once(';').unwrap_or((named, "charset=utf-8"));
    named.trim().eq_ignore_ascii_case(kind)
        && parameter.trim().eq_ignore_ascii_case("charset=utf-8")
}

/// The whole body, if it is not too long.
async fn whole(
    body: Body,
    headers: &HeaderMap,
    most: usize,
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let too_large = || Refused::TooLarge(format!("A form has at most {most} bytes."));
    let claimed = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if claimed.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    // Room for all of it at once: a text that moves while it grows leaves copies that nobody wipes.
    let mut text = Zeroizing::new(Vec::with_capacity(claimed.unwrap_or(0)));
    let mut body = body;
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(Refused::Body)?.into_data() {
            if text.len() + data.len() > most {
                return Err(too_large());
            }
            text.extend_from_slice(&data);
        }
    }
    Ok(text)
}

async fn text(multipart: &mut Multipart, most: usize) -> Result<Zeroizing<String>, Refused> {
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(chunk) = multipart.chunk().await? {
        if bytes.len() + chunk.len() > most {
            return Err(Refused::TooLarge(format!(
                "A field of this form has at most {most} bytes."
            )));
        }
        bytes.extend_from_slice(&chunk);
    }
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Refused::Malformed("a text is not UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}
