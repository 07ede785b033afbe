//! Reads a file of a form.

use super::FormReader;
use crate::audit::size;
use crate::forms::arriving::Arriving;
use crate::forms::error::FormRejection;
use crate::forms::file_name::CleanName;
use crate::forms::incoming::{Incoming, Shortage, Stop};
use crate::forms::multipart::Multipart;
use crate::forms::received::Arrived;
use crate::forms::{FieldSpec, Problem, RefusedFile};
use crate::https::{BodyError, Drain};
use crate::pages::Message;

/// The browser's own description of the file.
pub(super) struct FileClaim {
    pub(super) field: String,
    pub(super) name: String,
    pub(super) media_type: Option<String>,
}

impl FormReader<'_> {
    /// Writes a file into quarantine. If the file is over a limit, it is read to its end and not stored; its field says so, and
    /// the form comes back with the typed values.
    pub(super) async fn file(
        &mut self,
        multipart: &mut Multipart,
        spec: &FieldSpec,
        said: FileClaim,
    ) -> Result<(), FormRejection> {
        let Some(most) = spec.kind.max_bytes.filter(|_| spec.kind.is_file()) else {
            return Err(FormRejection::Malformed("a field for text received a file"));
        };
        if let Some(drain) = &self.drain {
            drain.begin();
        }
        self.take_file(multipart, spec, said, most).await?;
        if let Some(drain) = self.drain.as_ref().filter(|_| !self.received.is_over()) {
            drain.end();
        }
        Ok(())
    }

    async fn take_file(
        &mut self,
        multipart: &mut Multipart,
        spec: &FieldSpec,
        said: FileClaim,
        most: u64,
    ) -> Result<(), FormRejection> {
        let mut next = multipart.chunk().await?;
        if next.is_none() && said.name.is_empty() {
            // The user chose no file.
            return Ok(());
        }
        self.files += 1;
        let mut arriving = self.place_for(spec).await?;
        while let Some(bytes) = next {
            let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let size = arriving.as_ref().map(Arriving::size);
            let size = size.map(|size| size.saturating_add(length));
            if let Some(limit) = self.passed(multipart, size, most) {
                arriving = None;
                let file = RefusedFile {
                    name: CleanName::of(&said.name).into_string(),
                    why: "too_large",
                };
                let problem = Problem::refused_file(limit, file);
                self.received.too_large(spec, problem);
            }
            if let Some(file) = &mut arriving {
                let written = match self.intake.has_room() {
                    Ok(()) => file.write(bytes).await,
                    full => full,
                };
                if let Err(stop) = written {
                    self.stopped(stop, spec)?;
                    arriving = None;
                }
            }
            multipart.let_go(length);
            next = multipart.chunk().await?;
        }
        let Some(file) = arriving else {
            self.received.turn_away(spec, None);
            return Ok(());
        };
        match Incoming::finished(file, &said.name, said.media_type).await {
            Ok(file) => {
                let file = file.sent_from(self.network);
                self.received.add(&said.field, Arrived::File(file))
            }
            Err(stop) => {
                self.stopped(stop, spec)?;
                self.received.turn_away(spec, None);
                Ok(())
            }
        }
    }

    /// The disk or the quota has no place for files: it deletes those that arrived, and the form comes back with the typed
    /// values.
    fn stopped(&mut self, stop: Stop, spec: &FieldSpec) -> Result<(), FormRejection> {
        match stop {
            Stop::Full(Shortage::Kept) => {
                let problem = Message::new("forms-files-kept");
                self.received.too_large(spec, problem.into());
                self.received.stop(Shortage::Kept);
                Ok(())
            }
            Stop::Full(shortage) => {
                self.received.stop(shortage);
                Ok(())
            }
            Stop::Io(error) => Err(FormRejection::Quarantine(error)),
        }
    }

    /// The place for the next file; none if the file is not stored.
    async fn place_for(&mut self, spec: &FieldSpec) -> Result<Option<Arriving>, FormRejection> {
        let all = self.bounds.files;
        if self.received.is_over() {
            return Ok(None);
        }
        if self.files > all {
            let problem = Message::new("forms-most-files").with("max", all);
            self.received.too_large(spec, problem.into());
            return Ok(None);
        }
        if let Some(most) = self.received.full(spec) {
            let problem = Message::new("forms-choose-at-most").with("max", most);
            self.received.turn_away(spec, Some(problem.into()));
            return Ok(None);
        }
        match self.intake.arriving(self.sender).await {
            Ok(arriving) => Ok(Some(arriving)),
            Err(stop) => self.stopped(stop, spec).map(|()| None),
        }
    }

    /// The limit that so many bytes of a file exceed, if none was exceeded before: its own, or that of the whole body.
    fn passed(&self, multipart: &Multipart, bytes: Option<u64>, most: u64) -> Option<Message> {
        if self.received.is_over() {
            return None;
        }
        if bytes.is_some_and(|bytes| bytes > most) {
            return Some(Message::new("forms-most-file-bytes").with("size", size(most)));
        }
        let all = self.drain.as_ref().map(Drain::limit);
        let all = all.filter(|all| multipart.received() > *all)?;
        Some(Message::new("forms-most-files-bytes").with("size", size(all)))
    }

    /// Whether a form is over a limit already, so that the page shows again what was read of it. Any other problem ends the
    /// request.
    pub(super) fn is_cut_short(&self, refused: &FormRejection) -> bool {
        let FormRejection::Body(cause) = refused else {
            return false;
        };
        let too_much = |error: &BodyError| match error {
            BodyError::TooLarge { .. } | BodyError::TooSlow => true,
            BodyError::Broken(_) | BodyError::Busy => false,
        };
        self.received.is_over() && BodyError::find(cause).is_some_and(too_much)
    }
}
