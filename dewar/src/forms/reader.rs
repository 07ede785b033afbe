//! The three ways a form comes in, each read piece by piece, with the token before anything else.

use std::borrow::Cow;
use std::net::IpAddr;

use axum::body::Body;
use http::HeaderMap;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http_body_util::BodyExt;
use zeroize::Zeroizing;

use super::error::Refused;
use super::multipart::{Multipart, boundary};
use super::received::Arrived;
use super::urlencoded::Pair;
use super::{
    Config, FieldSpec, FormSpec, Intake, Model, Received, incoming, json, rows, size, urlencoded,
};
use crate::csrf::{self, CsrfChecked, Gate};
use crate::https::ClientAddress;
use crate::https::media_type::MediaType;
use crate::pages::{Message, Typed};

/// How a browser sends a form without files.
pub(crate) const URLENCODED: &str = "application/x-www-form-urlencoded";

/// One form on its way in.
pub(super) struct Reader<'a> {
    gate: &'a Gate,
    intake: &'a Intake,
    bounds: Config,
    headers: &'a HeaderMap,
    received: Received,
    checked: Option<CsrfChecked>,
    /// The network that sends the form.
    network: Option<IpAddr>,
}

impl<'a> Reader<'a> {
    pub(super) fn new<T: Model>(
        gate: &'a Gate,
        intake: &'a Intake,
        headers: &'a HeaderMap,
    ) -> Self {
        Self {
            gate,
            intake,
            bounds: intake.config(),
            headers,
            received: Received::form::<T>(gate).asking(intake.least_characters()),
            checked: None,
            network: None,
        }
    }

    /// From this address, which files are told.
    pub(super) fn sent_from(mut self, address: Option<ClientAddress>) -> Self {
        self.network = address.map(ClientAddress::network);
        self
    }

    /// For a form without fields.
    pub(super) fn button(
        gate: &'a Gate,
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
        }
    }

    /// For a form that is not taken.
    pub(super) fn unsent(
        gate: &'a Gate,
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
        }
    }

    /// What was typed into a form, whose token is not asked for; of JSON nothing, as nobody typed it.
    pub(super) async fn texts(self, body: Body) -> Vec<Typed> {
        let Some(kind) = self.headers.get(CONTENT_TYPE).map(MediaType::of) else {
            return Vec::new();
        };
        if let Some(boundary) = boundary(kind) {
            return self
                .texts_of(Multipart::new(body, &boundary), Files::PassedOver)
                .await;
        }
        if !kind.is_utf8(URLENCODED) {
            return Vec::new();
        }
        let Ok(text) = whole(body, self.headers, self.bounds.body).await else {
            return Vec::new();
        };
        let pairs = urlencoded::pairs(&text, self.bounds.fields);
        pairs.map(|pairs| self.typed(&pairs)).unwrap_or_default()
    }

    /// The token of a request that has no body.
    pub(super) fn header_alone(mut self) -> Result<CsrfChecked, Refused> {
        self.header()?;
        self.into_checked().map(|(_, checked)| checked)
    }

    pub(super) async fn read(mut self, body: Body) -> Result<(Received, CsrfChecked), Refused> {
        self.header()?;
        let mut types = self.headers.get_all(CONTENT_TYPE).iter();
        let (Some(kind), None) = (types.next().map(MediaType::of), types.next()) else {
            return Err(Refused::ContentType);
        };
        if kind.is_utf8(URLENCODED) {
            self.urlencoded(body).await?;
        } else if kind.is_utf8("application/json") {
            self.json(body).await?;
        } else {
            let boundary = boundary(kind).ok_or(Refused::ContentType)?;
            self.multipart(Multipart::new(body, &boundary)).await?;
        }
        self.into_checked()
    }

    fn into_checked(self) -> Result<(Received, CsrfChecked), Refused> {
        match self.checked {
            Some(checked) => Ok((self.received, checked)),
            None => Err(Refused::token(csrf::Refusal::NoToken)),
        }
    }

    /// Sent twice, it is an attempt to be read in two ways.
    fn header(&mut self) -> Result<(), Refused> {
        let mut tokens = self.headers.get_all(csrf::HEADER).iter();
        let Some(token) = tokens.next() else {
            return Ok(());
        };
        if tokens.next().is_some() {
            return Err(Refused::token(csrf::Refusal::WrongToken));
        }
        self.check(token.to_str().ok())
    }

    fn check(&mut self, token: Option<&str>) -> Result<(), Refused> {
        self.checked = Some(self.gate.verify(token).map_err(Refused::token)?);
        Ok(())
    }

    async fn urlencoded(&mut self, body: Body) -> Result<(), Refused> {
        let config = self.bounds;
        let text = whole(body, self.headers, config.body).await?;
        let mut pairs = urlencoded::pairs(&text, config.fields)?;
        let place = pairs.iter().position(|(name, _)| name == csrf::FIELD);
        let token = place.map(|place| pairs.remove(place).1);
        if let Some(Err(refused)) = token.map(|token| self.check(Some(&token))) {
            return Err(refused.with(self.typed(&pairs)));
        }
        if self.checked.is_none() {
            return Err(Refused::token(csrf::Refusal::NoToken).with(self.typed(&pairs)));
        }
        for (name, value) in pairs {
            self.received.add(&name, Arrived::Text(value))?;
        }
        Ok(())
    }

    /// What a form whose token does not hold would have said, to be shown to whoever typed it and for nothing else: the
    /// first check knows already that the form comes from a page of ours. Passwords are not shown again.
    fn typed(&self, pairs: &[Pair<'_>]) -> Vec<Typed> {
        let fields = self.received.fields;
        let shown = pairs.iter().filter(|(name, value)| {
            let spec = rows::find(fields, name);
            spec.is_some_and(|spec| !spec.kind.is_secret() && !spec.kind.is_hidden())
                && !value.is_empty()
        });
        shown
            .filter_map(|(name, value)| {
                Some(Typed {
                    form: self.received.form,
                    field: name.to_string(),
                    label: rows::label(fields, name)?,
                    text: value.to_string(),
                })
            })
            .collect()
    }

    /// The texts, as far as they can be read.
    async fn texts_of(&self, mut multipart: Multipart, files: Files) -> Vec<Typed> {
        let config = self.bounds;
        let (mut pairs, mut left) = (Vec::new(), config.body);
        while pairs.len() < config.fields {
            let Ok(Some(head)) = multipart.part().await else {
                break;
            };
            match (head.file_name, files) {
                (None, _) => {}
                (Some(_), Files::PassedOver) => continue,
                (Some(_), Files::End) => break,
            }
            let Ok(text) = text(&mut multipart, left).await else {
                break;
            };
            left -= text.len();
            pairs.push((Cow::Owned(head.name), text));
        }
        self.typed(&pairs)
    }

    /// A script has the token at hand before it sends anything, so it stands in the header, and no byte is read without.
    async fn json(&mut self, body: Body) -> Result<(), Refused> {
        if self.checked.is_none() {
            return Err(Refused::token(csrf::Refusal::NoToken));
        }
        let config = self.bounds;
        let text = whole(body, self.headers, config.body).await?;
        json::read(&text, config.fields, &mut self.received)
    }

    async fn multipart(&mut self, mut multipart: Multipart) -> Result<(), Refused> {
        let config = self.bounds;
        let (mut fields, mut files, mut texts, mut tokens) = (0, 0, 0, 0);
        while let Some(head) = multipart.part().await? {
            fields += 1;
            if fields > config.fields {
                let text = Message::new("forms-most-fields").with("max", config.fields);
                return Err(Refused::TooLarge(text));
            }
            if head.name == csrf::FIELD {
                tokens += 1;
                if tokens > 1 {
                    return Err(Refused::TwiceSent(csrf::FIELD));
                }
                let token = text(&mut multipart, 256).await?;
                if let Err(refused) = self.check(Some(&token)) {
                    return Err(refused.with(self.texts_of(multipart, Files::End).await));
                }
                continue;
            }
            // Before a field is looked at, and long before a byte of a file is written.
            if self.checked.is_none() {
                return Err(Refused::token(csrf::Refusal::NoToken));
            }
            let spec = self.received.expects(&head.name)?;
            let arrived = match head.file_name {
                Some(name) => {
                    if self.received.is_full(spec) {
                        files += 1;
                        self.pass_over(&mut multipart, spec, &name).await?;
                        if files > config.files {
                            return Err(too_many_files(config.files));
                        }
                        continue;
                    }
                    let Some(file) = self
                        .file(&mut multipart, spec, &name, head.content_type)
                        .await?
                    else {
                        continue;
                    };
                    files += 1;
                    if files > config.files {
                        return Err(too_many_files(config.files));
                    }
                    Arrived::File(file.sent_from(self.network))
                }
                None => {
                    let text =
                        text(&mut multipart, spec.kind.text_bytes().min(config.body)).await?;
                    texts += text.len();
                    if texts > config.body {
                        return Err(too_large("forms-most-text", config.body));
                    }
                    Arrived::Text(text)
                }
            };
            self.received.add(&head.name, arrived)?;
        }
        Ok(())
    }

    /// Reads a file that its field has no place for, and writes nothing. The limit of bytes is that of every file.
    async fn pass_over(
        &mut self,
        multipart: &mut Multipart,
        spec: &FieldSpec,
        name: &str,
    ) -> Result<(), Refused> {
        let most = spec.kind.max_bytes.unwrap_or(0);
        let mut size: u64 = 0;
        while let Some(bytes) = multipart.chunk().await? {
            size = size.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            if size > most {
                return Err(file_too_large(name, most));
            }
        }
        self.received.turn_away(spec);
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
            let empty = self.intake.arriving().await.map_err(Refused::Quarantine)?;
            return empty
                .finish(name, claimed_type)
                .await
                .map(Some)
                .map_err(Refused::Quarantine);
        };
        let mut arriving = self.intake.arriving().await.map_err(Refused::Quarantine)?;
        let mut next = Some(first);
        while let Some(bytes) = next {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if arriving.size().saturating_add(length) > most {
                return Err(file_too_large(name, most));
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

/// What a file means to whoever only wants the texts around it.
#[derive(Debug, Clone, Copy)]
enum Files {
    /// Nothing behind it is read.
    End,
    /// It is read, held nowhere, and passed over.
    PassedOver,
}

fn too_many_files(most: usize) -> Refused {
    Refused::TooLarge(Message::new("forms-most-files").with("max", most))
}

fn file_too_large(name: &str, most: u64) -> Refused {
    Refused::FileTooLarge {
        name: incoming::shown_name(name),
        text: Message::new("forms-most-file-bytes").with("size", size(most)),
    }
}

/// More bytes than are taken, in the words of this message.
pub(super) fn too_large(message: &'static str, most: usize) -> Refused {
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    Refused::TooLarge(Message::new(message).with("size", size(most)))
}

/// The whole body, if it is not too long.
async fn whole(
    body: Body,
    headers: &HeaderMap,
    most: usize,
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let too_large = || too_large("forms-most-bytes", most);
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
            return Err(too_large("forms-most-field-bytes", most));
        }
        bytes.extend_from_slice(&chunk);
    }
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Refused::Malformed("a text is not UTF-8"))?;
    Ok(Zeroizing::new(text.to_owned()))
}
