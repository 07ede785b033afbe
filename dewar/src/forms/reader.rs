//! The three encodings of a form, each read as a stream, with the CSRF token before anything else.

mod files;

use std::borrow::Cow;
use std::net::IpAddr;

use axum::body::{Body, Bytes};
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;
use zeroize::Zeroizing;

use files::FileClaim;

use super::concurrency::RequestSender;
use super::error::FormRejection;
use super::list::array;
use super::multipart::{Multipart, boundary};
use super::received::Arrived;
use super::spec::largest;
use super::urlencoded::Pair;
use super::{Config, FormSpec, Intake, Model, Received, Unsent, json, rows, urlencoded};
use crate::audit::size;
use crate::csrf::{self, CsrfChecked, CsrfTokens};
use crate::https::media_type::MediaType;
use crate::https::{ClientAddress, Drain, HeldBody, RequestInfo};
use crate::pages::{Message, RequestContext, SealedField, TypedField};

/// The content type of a form without files.
pub(crate) const URLENCODED: &str = "application/x-www-form-urlencoded";

/// Reads one form.
pub(super) struct FormReader<'a> {
    gate: &'a CsrfTokens,
    intake: &'a Intake,
    bounds: Config,
    headers: &'a HeaderMap,
    received: Received,
    checked: Option<CsrfChecked>,
    /// The network that sends the form.
    network: Option<IpAddr>,
    /// The sender whose uploads in progress are counted.
    sender: RequestSender,
    /// Lets it read on after the body passed its limit.
    drain: Option<Drain>,
    /// Counts the bytes of the body in memory.
    held: Option<HeldBody>,
    /// How many files arrived.
    files: usize,
}

impl<'a> FormReader<'a> {
    pub(super) fn new<T: Model>(
        gate: &'a CsrfTokens,
        intake: &'a Intake,
        headers: &'a HeaderMap,
    ) -> Self {
        Self {
            gate,
            intake,
            bounds: intake.config(),
            headers,
            received: Received::form::<T>(gate).asking(intake.min_password_length()),
            checked: None,
            network: None,
            sender: RequestSender::Network(None),
            drain: None,
            held: None,
            files: 0,
        }
    }

    /// Takes from the request who sends it, which files are logged, and the means to read on after the limit and to count the
    /// bytes in memory.
    pub(super) fn of_request(
        mut self,
        info: Option<&RequestInfo>,
        context: &RequestContext,
    ) -> Self {
        self.network = context.address().map(ClientAddress::network);
        self.sender = RequestSender::of(context);
        if let Some(info) = info {
            self.drain.clone_from(&info.drain);
            self.held.clone_from(&info.held);
        }
        self
    }

    /// Reads only the texts. It skips files, and the form is not taken.
    pub(super) fn texts_alone(mut self) -> Self {
        self.received.let_all_files_go();
        self
    }

    /// The most bytes of a body that is held in memory as a whole: what the fields can hold, and never more than the setting.
    fn most(&self) -> usize {
        let most = largest(self.received.fields).unwrap_or(usize::MAX);
        most.min(self.bounds.body)
    }

    /// For a form without fields.
    pub(super) fn button(
        gate: &'a CsrfTokens,
        intake: &'a Intake,
        bounds: Config,
        headers: &'a HeaderMap,
    ) -> Self {
        Self {
            gate,
            intake,
            bounds,
            headers,
            received: Received::of("button", &[], None),
            checked: None,
            network: None,
            sender: RequestSender::Network(None),
            drain: None,
            held: None,
            files: 0,
        }
    }

    /// For a form that is not taken.
    pub(super) fn unsent(
        gate: &'a CsrfTokens,
        intake: &'a Intake,
        headers: &'a HeaderMap,
        spec: &FormSpec,
    ) -> Self {
        Self {
            gate,
            intake,
            bounds: intake.config(),
            headers,
            received: Received::of(spec.name, spec.fields, None),
            checked: None,
            network: None,
            sender: RequestSender::Network(None),
            drain: None,
            held: None,
            files: 0,
        }
    }

    /// The texts of a form whose CSRF token is not checked. JSON has none, because nobody typed it.
    pub(super) async fn texts(self, body: Body) -> Unsent {
        let Some(kind) = self.headers.get(CONTENT_TYPE).map(MediaType::of) else {
            return Unsent::default();
        };
        if let Some(boundary) = boundary(kind) {
            if let Some(drain) = &self.drain {
                drain.begin();
            }
            let mut multipart = Multipart::new(body, &boundary).counted(self.held.clone());
            let pairs = self
                .pairs_of(&mut multipart, FileHandling::PassedOver)
                .await;
            return self.unsent_of(&pairs);
        }
        if !kind.is_utf8(URLENCODED) {
            return Unsent::default();
        }
        let Ok(text) = whole(body, self.headers, self.most()).await else {
            return Unsent::default();
        };
        let pairs = urlencoded::pairs(&text, self.bounds.fields);
        pairs
            .map(|pairs| self.unsent_of(&pairs))
            .unwrap_or_default()
    }

    fn unsent_of(&self, pairs: &[Pair<'_>]) -> Unsent {
        let fields = self.received.fields;
        let hidden = pairs.iter().filter(|(name, value)| {
            let spec = rows::find(fields, name);
            spec.is_some_and(|spec| spec.kind.is_hidden()) && !value.is_empty()
        });
        let hidden = hidden.map(|(name, value)| SealedField {
            form: self.received.form.to_owned(),
            field: name.to_string(),
            sealed: value.to_string(),
        });
        Unsent {
            typed: self.typed(pairs),
            hidden: hidden.collect(),
        }
    }

    /// The CSRF token of a request without a body.
    pub(super) fn header_alone(mut self) -> Result<CsrfChecked, FormRejection> {
        self.header()?;
        self.into_checked().map(|(_, checked)| checked)
    }

    /// The body of a request whose token is in a header or in a urlencoded form, unread otherwise.
    pub(super) async fn passed_on(
        mut self,
        body: Body,
    ) -> Result<(Bytes, CsrfChecked), FormRejection> {
        self.header()?;
        let text = whole(body, self.headers, self.bounds.body).await?;
        let kind = self.headers.get(CONTENT_TYPE).map(MediaType::of);
        if self.checked.is_none() && kind.is_some_and(|kind| kind.is_utf8(URLENCODED)) {
            let pairs = urlencoded::pairs(&text, self.bounds.fields)?;
            let token = pairs.iter().find(|(name, _)| name == csrf::FIELD);
            self.check(token.map(|(_, token)| token.as_str()))?;
        }
        let text = Bytes::copy_from_slice(&text);
        self.into_checked().map(|(_, checked)| (text, checked))
    }

    pub(super) async fn read(
        mut self,
        body: Body,
    ) -> Result<(Received, CsrfChecked), FormRejection> {
        self.header()?;
        let mut types = self.headers.get_all(CONTENT_TYPE).iter();
        let (Some(kind), None) = (types.next().map(MediaType::of), types.next()) else {
            return Err(FormRejection::ContentType);
        };
        if array(self.received.fields).is_some() && !kind.is_utf8("application/json") {
            return Err(FormRejection::NotJson);
        }
        if kind.is_utf8(URLENCODED) {
            self.urlencoded(body).await?;
        } else if kind.is_utf8("application/json") {
            self.json(body).await?;
        } else {
            let boundary = boundary(kind).ok_or(FormRejection::ContentType)?;
            let multipart = Multipart::new(body, &boundary).counted(self.held.clone());
            self.multipart(multipart).await?;
        }
        self.into_checked()
    }

    fn into_checked(self) -> Result<(Received, CsrfChecked), FormRejection> {
        match self.checked {
            Some(checked) => Ok((self.received, checked)),
            None => Err(FormRejection::token(csrf::CsrfRejection::NoToken)),
        }
    }

    /// A repeated header could be read in two ways.
    fn header(&mut self) -> Result<(), FormRejection> {
        if self.gate.are_not_needed() {
            return self.check(None);
        }
        let mut tokens = self.headers.get_all(csrf::HEADER).iter();
        let Some(token) = tokens.next() else {
            return Ok(());
        };
        if tokens.next().is_some() {
            return Err(FormRejection::token(csrf::CsrfRejection::WrongToken));
        }
        self.check(token.to_str().ok())
    }

    fn check(&mut self, token: Option<&str>) -> Result<(), FormRejection> {
        self.checked = Some(self.gate.verify(token).map_err(FormRejection::token)?);
        Ok(())
    }

    async fn urlencoded(&mut self, body: Body) -> Result<(), FormRejection> {
        let config = self.bounds;
        let text = whole(body, self.headers, self.most()).await?;
        let mut pairs = urlencoded::pairs(&text, config.fields)?;
        let place = pairs.iter().position(|(name, _)| name == csrf::FIELD);
        let token = place.map(|place| pairs.remove(place).1);
        if let Some(Err(refused)) = token.map(|token| self.check(Some(&token))) {
            return Err(refused.with(self.typed(&pairs)));
        }
        if self.checked.is_none() {
            return Err(FormRejection::token(csrf::CsrfRejection::NoToken).with(self.typed(&pairs)));
        }
        for (name, value) in pairs {
            self.received.add(&name, Arrived::Text(value))?;
        }
        Ok(())
    }

    /// The typed values of a form with an invalid CSRF token, only to show them to the user who typed them: the first check has
    /// proved that the form comes from a page of this application. Passwords are not included.
    fn typed(&self, pairs: &[Pair<'_>]) -> Vec<TypedField> {
        let fields = self.received.fields;
        let shown = pairs.iter().filter(|(name, value)| {
            let spec = rows::find(fields, name);
            spec.is_some_and(|spec| !spec.kind.is_secret() && !spec.kind.is_hidden())
                && !value.is_empty()
        });
        shown
            .filter_map(|(name, value)| {
                Some(TypedField {
                    form: self.received.form,
                    field: name.to_string(),
                    label: rows::label(fields, name)?,
                    text: value.to_string(),
                })
            })
            .collect()
    }

    /// The texts that can be read.
    async fn pairs_of(&self, multipart: &mut Multipart, files: FileHandling) -> Vec<Pair<'static>> {
        let config = self.bounds;
        let (mut pairs, mut left) = (Vec::new(), config.body);
        while pairs.len() < config.fields {
            let Ok(Some(head)) = multipart.part().await else {
                break;
            };
            match (head.file_name, files) {
                (None, _) => {}
                (Some(_), FileHandling::PassedOver) => continue,
                (Some(_), FileHandling::End) => break,
            }
            let Ok(text) = text(multipart, left).await else {
                break;
            };
            left -= text.len();
            pairs.push((Cow::Owned(head.name), text));
        }
        pairs
    }

    /// A script has the CSRF token before it sends anything, so the header must carry it, and Dewar reads no byte without it.
    async fn json(&mut self, body: Body) -> Result<(), FormRejection> {
        if self.checked.is_none() {
            return Err(FormRejection::token(csrf::CsrfRejection::NoToken));
        }
        let config = self.bounds;
        let text = whole(body, self.headers, self.most()).await?;
        json::read(&text, config.fields, &mut self.received)
    }

    async fn multipart(&mut self, mut multipart: Multipart) -> Result<(), FormRejection> {
        match self.parts(&mut multipart).await {
            Err(refused) if self.is_cut_short(&refused) => Ok(()),
            read => read,
        }
    }

    async fn parts(&mut self, multipart: &mut Multipart) -> Result<(), FormRejection> {
        let config = self.bounds;
        let (mut fields, mut texts, mut tokens) = (0, 0, 0);
        while let Some(head) = multipart.part().await? {
            fields += 1;
            if fields > config.fields {
                let text = Message::new("forms-most-fields").with("max", config.fields);
                return Err(FormRejection::TooLarge(text));
            }
            if head.name == csrf::FIELD {
                tokens += 1;
                if tokens > 1 {
                    return Err(FormRejection::TwiceSent(csrf::FIELD));
                }
                let token = text(multipart, 256).await?;
                if let Err(refused) = self.check(Some(&token)) {
                    let pairs = self.pairs_of(multipart, FileHandling::End).await;
                    return Err(refused.with(self.typed(&pairs)));
                }
                continue;
            }
            // Before Dewar looks at a field, and long before it writes a byte of a file.
            if self.checked.is_none() {
                return Err(FormRejection::token(csrf::CsrfRejection::NoToken));
            }
            let spec = self.received.expects(&head.name)?;
            if let Some(name) = head.file_name {
                let said = FileClaim {
                    field: head.name,
                    name,
                    media_type: head.content_type,
                };
                self.file(multipart, spec, said).await?;
                continue;
            }
            let text = text(multipart, spec.kind.text_bytes().min(config.body)).await?;
            texts += text.len();
            if texts > config.body {
                return Err(too_large("forms-most-text", config.body));
            }
            self.received.add(&head.name, Arrived::Text(text))?;
        }
        Ok(())
    }
}

/// How to treat files when only the texts around them matter.
#[derive(Debug, Clone, Copy)]
enum FileHandling {
    /// Stop; nothing after the file is read.
    End,
    /// Read the file, store nothing of it, and skip it.
    PassedOver,
}

/// The body has too many bytes; `message` says so.
pub(super) fn too_large(message: &'static str, most: usize) -> FormRejection {
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    FormRejection::TooLarge(Message::new(message).with("size", size(most)))
}

/// The whole body, if it is not too long.
async fn whole(
    body: Body,
    headers: &HeaderMap,
    most: usize,
) -> Result<Zeroizing<Vec<u8>>, FormRejection> {
    let too_large = || too_large("forms-most-bytes", most);
    let claimed = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if claimed.is_some_and(|length| length > most) {
        return Err(too_large());
    }
    // Reserves nothing for a length that the request only announced.
    let mut text = Zeroizing::new(Vec::new());
    let mut body = body;
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(FormRejection::Body)?.into_data() {
            if text.len() + data.len() > most {
                return Err(too_large());
            }
            grow(&mut text, &data);
        }
    }
    Ok(text)
}

/// Appends bytes. When a `Vec` grows it leaves copies that are not wiped, so this wipes the old one.
fn grow(text: &mut Zeroizing<Vec<u8>>, more: &[u8]) {
    let needed = text.len().saturating_add(more.len());
    if needed > text.capacity() {
        let room = needed.max(text.capacity().saturating_mul(2));
        let mut larger = Zeroizing::new(Vec::with_capacity(room));
        larger.extend_from_slice(text);
        *text = larger;
    }
    text.extend_from_slice(more);
}

async fn text(multipart: &mut Multipart, most: usize) -> Result<Zeroizing<String>, FormRejection> {
    let mut bytes = Zeroizing::new(Vec::new());
    while let Some(chunk) = multipart.chunk().await? {
        if bytes.len() + chunk.len() > most {
            return Err(too_large("forms-most-field-bytes", most));
        }
        grow(&mut bytes, &chunk);
    }
    let text =
        std::str::from_utf8(&bytes).map_err(|_| FormRejection::Malformed("a text is not UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}
