//! The typed values of a form that Dewar refuses because its sender is signed out or its record is gone.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http::HeaderMap;
use http::request::Parts;
use http_body::{Frame, SizeHint};

use super::reader::FormReader;
use super::{FormSpec, Intake};
use crate::https::RequestInfo;
use crate::pages::{Error, Prefers, RequestContext, SealedField, TypedField};

/// The values of a form that its sender may see again.
#[derive(Debug, Default)]
pub(crate) struct Unsent {
    /// Without passwords and files.
    pub(crate) typed: Vec<TypedField>,
    /// The hidden values, as they came.
    pub(crate) hidden: Vec<SealedField>,
}

/// Reads the values of a form that its sender may see again, within the bounds of every form. It checks no token: Dewar
/// only shows the values to their sender.
pub(crate) async fn unsent(parts: &Parts, body: Body, spec: &FormSpec) -> Result<Unsent, Error> {
    let info = RequestInfo::get(&parts.extensions);
    read(&parts.headers, RequestContext::of(parts)?, info, body, spec).await
}

async fn read(
    headers: &HeaderMap,
    context: &RequestContext,
    info: Option<&RequestInfo>,
    body: Body,
    spec: &FormSpec,
) -> Result<Unsent, Error> {
    let (tokens, intake) = (context.tokens()?, context.service::<Intake>()?);
    let reader = FormReader::unsent(tokens, intake, headers, spec);
    Ok(reader.of_request(info, context).texts(body).await)
}

/// A form on its way to a handler. An input before the form may refuse the request by its head alone, because the record is
/// gone or out of reach. Then nobody has read the form, and this type still has the typed values.
pub(crate) struct UnreadForm {
    headers: HeaderMap,
    context: RequestContext,
    info: Option<RequestInfo>,
    body: Slot,
}

type Slot = Arc<Mutex<Option<Body>>>;

fn take(slot: &Slot) -> Option<Body> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

impl UnreadForm {
    /// The form of a request.
    ///
    /// # Errors
    /// 500: the request did not come through the stack.
    pub(crate) fn new(parts: &Parts, body: Body) -> Result<Self, Error> {
        Ok(Self {
            headers: parts.headers.clone(),
            context: RequestContext::of(parts)?.clone(),
            info: RequestInfo::get(&parts.extensions).cloned(),
            body: Arc::new(Mutex::new(Some(body))),
        })
    }

    /// The body for the handler.
    pub(crate) fn lend(&self) -> Body {
        Body::new(Lent {
            slot: Arc::clone(&self.body),
            body: None,
        })
    }

    /// The typed values, if nobody has begun to read them and the sender is a person. The form counts for the rate limit.
    /// Dewar does not check whether the record exists: it shows only what came.
    pub(crate) async fn texts(self, spec: &FormSpec) -> Option<Vec<TypedField>> {
        let body = take(&self.body)?;
        // Files are not kept, and a form of buttons has no texts.
        let may_be_typed = |kind: &super::FieldKind| !kind.is_hidden() && !kind.is_file();
        let is_typed = spec.fields.iter().any(|field| may_be_typed(&field.kind));
        let Self {
            headers,
            context,
            info,
            ..
        } = &self;
        if !is_typed || context.facts().prefers == Prefers::Json {
            return None;
        }
        // A sender over the rate limit learns so at the next form.
        let _wait = context.admission.count().await.err();
        let unsent = read(headers, context, info.as_ref(), body, spec).await;
        Some(unsent.ok()?.typed)
    }
}

impl fmt::Debug for UnreadForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnreadForm")
    }
}

/// The body of a form, taken when somebody begins to read it.
struct Lent {
    slot: Slot,
    body: Option<Body>,
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.body.is_none() {
            self.body = take(&self.slot);
        }
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body
            .as_ref()
            .is_some_and(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, http_body::Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use http::Extensions;
    use http_body_util::BodyExt;

    use super::*;
    use crate::pages::Fixture;

    #[tokio::test]
    async fn a_body_is_to_be_had_until_somebody_begins_to_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut request = http::Request::new(());
        Fixture::new(folder.path()).enter(&mut request, Extensions::new());
        let (parts, ()) = request.into_parts();
        let unread = UnreadForm::new(&parts, Body::from("words")).unwrap();
        drop(unread.lend());
        let read = unread.lend().collect().await.unwrap().to_bytes();
        assert_eq!(read, "words");
        assert!(take(&unread.body).is_none());
        let nothing = unread.lend().collect().await.unwrap().to_bytes();
        assert!(nothing.is_empty());
    }
}
