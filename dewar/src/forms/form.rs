use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use http::StatusCode;

use super::error::FormRejection;
use super::handler_input::proof;
use super::incoming::Shortage;
use super::reader::FormReader;
use super::slow_body::check_again;
use super::{
    Described, Field, FieldPath, FormSpec, FormView, HandlerInput, Intake, Model, Offered, Picks,
    Problem, Problems, RawValue, Record, RecordVersion, UntypedProblems, UntypedView, events, rows,
};
use crate::csrf::CsrfChecked;
use crate::database;
use crate::https::RequestInfo;
use crate::pages::{
    DoneAlready, Error, ErrorKind, FieldProblem, Message, Page, Prefers, RateRefusal, Redirect,
    RequestContext, Sealed, Words,
};

/// A form that a visitor sent, with a valid CSRF token of this session: an argument of a handler.
///
/// Dewar parses it from `application/x-www-form-urlencoded`, `multipart/form-data` or, for a script that has the token in
/// the header `x-csrf-token`, from `application/json`, within the bounds of its types and of [`Config`](super::Config). A
/// field that is unknown or comes twice, or bytes that cannot be decoded, end the request (400). Fields that break their
/// rules do not: Dewar shows the page again with the typed values and all problems.
///
/// ```
/// use dewar::forms::Line;
/// use dewar::{Form, Redirect};
/// #[derive(Form)]
/// struct NewNote { title: Line<80> }
///
/// async fn create(form: Form<NewNote>) -> dewar::Result<Redirect> {
///     let (note, bound) = form.bind("notes/new.html")?; // or the same page again, at 422
///     if note.title.as_str() == "Taken" {
///         return Err(bound.refuse(NewNote::TITLE, "There is a note of this title.")); // what only the database knows
///     }
///     Ok(Redirect::to("/notes"))
/// }
/// ```
#[derive(Debug)]
#[must_use = "read a form with `or_rerender`, `bind` or `result`"]
pub struct Form<T: Model> {
    model: Option<T>,
    view: UntypedView,
    name: &'static str,
    prefers: Prefers,
    why: RerenderReason,
    /// The request, as long as `offer` can still find a value that was not offered.
    context: Option<RequestContext>,
    /// Never read: its presence is the proof.
    _checked: CsrfChecked,
}

impl<T: Model> Form<T> {
    /// The form's values, or this page again at 422, with the form under the name `form`. A handler that can still fail for
    /// a reason that the person can correct takes [`bind`](Self::bind).
    ///
    /// Dewar shows the page at 429, 503 and 413 too, so give it every value that its template uses. A form of hidden values
    /// alone has nothing to type again: the response is an error page, as with [`or_reject`](Self::or_reject).
    ///
    /// # Errors
    /// The page, as an [`Error`].
    pub fn or_rerender(self, page: impl Into<Page>) -> Result<T, Error> {
        self.bind(page).map(|(model, _)| model)
    }

    /// The form's values, or an error without any template: for a program, 422 with one entry for each problem
    /// ([`ProblemDetails`](crate::pages::ProblemDetails)); for a person, the error page with all problems and everything
    /// that they typed. It is for JSON APIs, and for a form that is only a button and has no page of its own.
    ///
    /// ```
    /// use dewar::forms::{Int, Line, List};
    /// use dewar::pages::Json;
    /// use dewar::{Form, post};
    /// #[derive(Form)]
    /// struct Order { reference: Line<20>, lines: List<OrderLine, 1, 20> }
    /// #[derive(Form)]
    /// struct OrderLine { article: Line<40>, amount: Int<1, 99> }
    ///
    /// async fn order(form: Form<Order>) -> dewar::Result<Json<i64>> {
    ///     let order = form.or_reject()?; // 422: "errors": [{ "pointer": "#/lines/0/amount", "code": "range", … }]
    ///     Ok(Json(order.lines.iter().map(|line| line.amount.get()).sum()))
    /// }
    /// # let route: dewar::app::Route = post("/api/orders", order);
    /// # drop(route);
    /// ```
    ///
    /// # Errors
    /// An [`Error`] with the status that [`or_rerender`](Self::or_rerender) would have.
    pub fn or_reject(self) -> Result<T, Error> {
        self.bind_or_reject().map(|(model, _)| model)
    }

    /// Like [`bind`](Self::bind), without a page: the form's values, and the means to refuse them later with an error as
    /// [`or_reject`](Self::or_reject) has.
    ///
    /// ```
    /// use dewar::database::Db;
    /// use dewar::forms::Line;
    /// use dewar::pages::NoContent;
    /// use dewar::Form;
    /// #[derive(Form)]
    /// struct NewNote { title: Line<80> }
    /// async fn create(db: Db, form: Form<NewNote>) -> dewar::Result<NoContent> {
    ///     let (note, bound) = form.bind_or_reject()?;
    ///     let added = db.execute("INSERT INTO notes (title) VALUES (?)", [note.title.as_str().into()]).await;
    ///     bound.or_taken(added, "notes.title", NewNote::TITLE, "There is a note of this title.")?;
    ///     Ok(NoContent)
    /// }
    /// ```
    ///
    /// # Errors
    /// An [`Error`] with the status that [`or_rerender`](Self::or_rerender) would have.
    pub fn bind_or_reject(self) -> Result<(T, BoundForm<T>), Error> {
        self.bound_to(None)
    }

    /// The form's values, and the means to refuse them later, for example a name that the database already has.
    ///
    /// # Errors
    /// The page, as an [`Error`].
    pub fn bind(self, page: impl Into<Page>) -> Result<(T, BoundForm<T>), Error> {
        self.bound_to(Some(page.into()))
    }

    fn bound_to(self, page: Option<Page>) -> Result<(T, BoundForm<T>), Error> {
        let bound = BoundForm {
            view: self.view,
            prefers: self.prefers,
            why: self.why,
            name: self.name,
            page,
            form: PhantomData,
        };
        match self.model {
            Some(model) => Ok((model, bound)),
            None => Err(bound.show()),
        }
    }

    /// The form's values, or the form with all problems, for a handler that responds in its own way.
    ///
    /// # Errors
    /// The form to show again.
    pub fn result(self) -> Result<T, FormView<T>> {
        self.model.ok_or_else(|| FormView::of(self.view))
    }

    /// Offers these records for a [`Pick`](super::Pick). The form shows them when the page comes again. Dewar refuses any
    /// other value and logs a security event.
    pub fn offer<P, F: Picks<P>>(mut self, field: FieldPath<T, F>, offered: &Offered<P>) -> Self {
        self.view.offer(field.name(), &offered.offers);
        if self.view.picked_otherwise(field.name()) {
            let problems = UntypedProblems::at(field.into_name(), Problem::not_offered());
            if let Some(context) = &self.context {
                events::problems(context, &problems);
            }
            self.view.add(problems);
            self.model = None;
        }
        self
    }

    /// Asks a question about a field that only the database can answer, such as whether a title is free. The form shows the
    /// problem together with all others. Dewar asks if the field itself is valid and filled in, even if other fields are
    /// not.
    ///
    /// The answer is a help for the person: another row may come before the insert. Only a `UNIQUE` index prevents
    /// duplicates, and [`BoundForm::or_taken`] shows its error at the field.
    ///
    /// ```
    /// use dewar::database::Db;
    /// use dewar::forms::Line;
    /// use dewar::{Form, Redirect};
    /// #[derive(Form)]
    /// struct NewNote { title: Line<80> }
    ///
    /// async fn create(db: Db, form: Form<NewNote>) -> dewar::Result<Redirect> {
    ///     let form = form.ask(NewNote::TITLE, async |title| {
    ///         let found = db.query("SELECT 1 FROM notes WHERE title = ?", [title.as_str().into()]).await?;
    ///         Ok((!found.is_empty()).then(|| "There is a note of this title.".into()))
    ///     });
    ///     let (note, bound) = form.await?.bind("notes/new.html")?;
    ///     let added = db.execute("INSERT INTO notes (title) VALUES (?)", [note.title.as_str().into()]).await;
    ///     bound.or_taken(added, "notes.title", NewNote::TITLE, "There is a note of this title.")?;
    ///     Ok(Redirect::to("/notes"))
    /// }
    /// ```
    ///
    /// # Errors
    /// The error of the question; a field whose value is not shown again (a password, a file, a hidden value).
    pub async fn ask<F: Field>(
        mut self,
        field: FieldPath<T, F>,
        question: impl AsyncFnOnce(F) -> Result<Option<Problem>, Error>,
    ) -> Result<Self, Error> {
        let typed = self.view.typed(field.name()).ok_or_else(|| {
            Error::internal(format!("cannot ask about the field `{}`", field.name()))
        })?;
        let is_wrong = self.view.problems.of(field.name()).next().is_some();
        if is_wrong || typed.is_empty() {
            return Ok(self);
        }
        // The form has parsed it already; `F` has no `Clone`, so it is parsed once more for the question.
        let Ok(value) = F::parse(RawValue::Text(typed)) else {
            return Ok(self);
        };
        if let Some(problem) = question(value).await? {
            self.view
                .add(UntypedProblems::at(field.into_name(), problem));
            self.model = None;
        }
        Ok(self)
    }

    /// The form as the page would show it.
    #[cfg(test)]
    pub(super) fn view(&self) -> FormView<T> {
        FormView::of(self.view.clone())
    }

    /// Names the account whose password is entered, as [`FormView::username`] does.
    pub fn username(mut self, name: impl fmt::Display) -> Self {
        self.view.set_username(name.to_string());
        self
    }

    /// Shows the form under another name than `form`, on a page with several forms.
    pub fn shown_as(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }
}

/// An error that a person can partly correct: a name that is taken, a password on a list, a file that is no picture.
/// [`BoundForm::or_refuse`] shows those at their field, and passes the others on.
///
/// ```
/// use dewar::forms::{AsProblem, Problem};
/// enum Booking { Full, Unreachable }
/// impl From<Booking> for dewar::Error {
///     fn from(_: Booking) -> Self { Self::internal("the booking system does not answer") }
/// }
/// impl AsProblem for Booking {
///     fn as_problem(&self) -> Option<Problem> {
///         match self {
///             Self::Full => Some("This day is full. Choose another.".into()),
///             Self::Unreachable => None,
///         }
///     }
/// }
/// ```
pub trait AsProblem: Into<Error> {
    /// The problem beside the field. None if the person can do nothing about it.
    fn as_problem(&self) -> Option<Problem>;

    /// How long to wait before the same form is accepted, and the message above it. Dewar shows the page again at 429 with
    /// the typed values. None, the default, if waiting does not help.
    fn as_wait(&self) -> Option<(Duration, Message)> {
        None
    }

    /// What the server lacks at the moment, although nothing in the form is wrong. Dewar shows the page again with the typed
    /// values and the message beside the field, at 507 or 503. None, the default, if the server lacks nothing.
    fn as_unavailable(&self) -> Option<Unavailable> {
        None
    }
}

/// The server cannot store a form now, although nothing in it is wrong: the disk is full, or too much work waits.
///
/// ```
/// use std::time::Duration;
/// use dewar::forms::{AsProblem, Problem, Unavailable};
/// use dewar::pages::Message;
/// struct PrinterBusy;
/// impl From<PrinterBusy> for dewar::Error {
///     fn from(_: PrinterBusy) -> Self { Self::busy(Duration::from_secs(60)) }
/// }
/// impl AsProblem for PrinterBusy {
///     fn as_problem(&self) -> Option<Problem> { None }
///     fn as_unavailable(&self) -> Option<Unavailable> {
///         Some(Unavailable::busy(Duration::from_secs(60), Message::new("printer-busy")))
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    why: Words,
    reason: UnavailableReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UnavailableReason {
    Busy(Duration),
    DiskFull,
}

impl Unavailable {
    /// The disk is full: 507, which no program may repeat by itself (RFC 4918, 11.5).
    #[must_use]
    pub fn disk_full() -> Self {
        Self {
            why: Message::new(NO_ROOM).into(),
            reason: UnavailableReason::DiskFull,
        }
    }

    /// Too much work waits: 503 with this `Retry-After`, and the message for the person.
    pub fn busy(wait: Duration, why: impl Into<Words>) -> Self {
        Self {
            why: why.into(),
            reason: UnavailableReason::Busy(wait),
        }
    }
}

/// A form whose values all parsed, and its page.
pub struct BoundForm<T> {
    view: UntypedView,
    prefers: Prefers,
    why: RerenderReason,
    name: &'static str,
    /// None if the form is rejected without a template.
    page: Option<Page>,
    form: PhantomData<fn() -> T>,
}

impl<T> Clone for BoundForm<T> {
    fn clone(&self) -> Self {
        Self {
            view: self.view.clone(),
            page: self.page.clone(),
            form: PhantomData,
            ..*self
        }
    }
}

impl<T> fmt::Debug for BoundForm<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("BoundForm");
        fields.field("view", &self.view).field("why", &self.why);
        fields.finish_non_exhaustive()
    }
}

/// The reason why a form is shown again.
#[derive(Debug, Clone, Copy)]
enum RerenderReason {
    /// Too much work waits: 503, with the time to wait.
    Busy(Duration),
    /// The record has changed since the page showed it: 409 (RFC 9110, 15.5.10).
    Changed,
    /// The disk is full: 507 (RFC 4918, 11.5), and no program may repeat it by itself.
    DiskFull,
    /// No room beside the files under way: 503.
    NoRoom,
    /// A file was over a limit: 413.
    TooLarge,
    /// The sender exceeded the rate limit: 429, with the time to wait.
    TooOften(Duration),
    /// The person has something to correct: 422.
    Wrong,
}

impl<T> BoundForm<T> {
    /// Gives the page one more value, which depends on the form's values.
    pub(crate) fn with(mut self, name: &'static str, value: impl serde::Serialize) -> Self {
        self.page = self.page.map(|page| page.with(name, value));
        self
    }

    /// The page again at 422, with the typed values and this problem beside a field.
    #[must_use]
    pub fn refuse<F>(self, field: FieldPath<T, F>, problem: impl Into<Problem>) -> Error {
        self.refuse_all(Problems::at(field, problem))
    }

    /// The page again at 422, with the typed values and these problems.
    #[must_use]
    pub fn refuse_all(mut self, problems: Problems<T>) -> Error {
        self.view.add(problems.untyped());
        self.show()
    }

    /// The value, or the page again: at 422 where a person can correct the error, at 429 where they have to wait, at 507 on a
    /// full disk, at 503 while too much work waits. Use it for every check after the form was read, and for every file that
    /// you store. Any other error passes.
    ///
    /// ```
    /// use dewar::accounts::Accounts;
    /// use dewar::forms::Name;
    /// use dewar::{CurrentUser, Form, Redirect};
    /// #[derive(Form)]
    /// struct NewName { name: Name<80> }
    ///
    /// async fn rename(person: CurrentUser, accounts: Accounts, form: Form<NewName>) -> dewar::Result<Redirect> {
    ///     let (new, bound) = form.bind("profile.html")?;
    ///     bound.or_refuse(accounts.set_name(person.id(), new.name.as_str()).await, NewName::NAME)?;
    ///     Ok(Redirect::to("/profile"))
    /// }
    /// ```
    ///
    /// # Errors
    /// The page with the problem beside the field, or the error.
    pub fn or_refuse<V, E: AsProblem, F>(
        &self,
        result: Result<V, E>,
        field: FieldPath<T, F>,
    ) -> Result<V, Error> {
        result.map_err(|error| {
            if let Some((wait, why)) = error.as_wait() {
                return self.clone().too_often(wait, why);
            }
            if let Some(unavailable) = error.as_unavailable() {
                return self.clone().unavailable(unavailable, field, error);
            }
            match error.as_problem() {
                Some(problem) => self.clone().refuse(field, problem),
                None => error.into(),
            }
        })
    }

    /// The page again at 507 or 503, with the typed values and the message beside the field. The log has the cause.
    fn unavailable<F>(
        mut self,
        unavailable: Unavailable,
        field: FieldPath<T, F>,
        cause: impl Into<Error>,
    ) -> Error {
        let Unavailable { why, reason } = unavailable;
        self.why = match reason {
            UnavailableReason::Busy(wait) => RerenderReason::Busy(wait),
            UnavailableReason::DiskFull => RerenderReason::DiskFull,
        };
        let cause: Error = cause.into();
        tracing::warn!(?cause, "a form was not stored, and is shown again");
        self.refuse_all(Problems::at(field, Problem::new(why)))
    }

    /// The page again at 429, with the typed values and this sentence above them.
    fn too_often(mut self, wait: Duration, why: Message) -> Error {
        self.why = RerenderReason::TooOften(wait);
        self.refuse_all(Problems::with_all(why))
    }

    /// The page again if a `UNIQUE` column, written `table.column`, already has this value. The result of an earlier
    /// question can be outdated; here the index decides. Any other failure passes.
    ///
    /// # Errors
    /// The page with this problem beside the field, or the failure.
    pub fn or_taken<V, E: Into<database::Error>, F>(
        self,
        result: Result<V, E>,
        column: &str,
        field: FieldPath<T, F>,
        problem: impl Into<Problem>,
    ) -> Result<V, Error> {
        result.map_err(|error| {
            let error = error.into();
            let taken = matches!(&error, database::Error::Unique { columns }
                if columns.iter().any(|one| one == column));
            if taken {
                self.refuse(field, problem)
            } else {
                error.into()
            }
        })
    }

    /// The page again at 409 if the record has changed since the page showed it (optimistic locking), with the typed
    /// values. For a form whose text nobody would write twice. Dewar binds the field of this name to the current record, so
    /// a person who has seen the change can send the form again.
    ///
    /// ```
    /// # mod note {
    /// #     use sea_orm::entity::prelude::*;
    /// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    /// #     #[sea_orm(table_name = "notes")]
    /// #     pub struct Model { #[sea_orm(primary_key)] pub id: i64, pub title: String }
    /// #     #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)] pub enum Relation {}
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # }
    /// use dewar::forms::{RecordVersion, Text};
    /// use dewar::{Form, Redirect};
    /// #[derive(Form)]
    /// struct Comment { version: RecordVersion, comment: Text<4_000> }
    /// fn comment(note: &note::Model, form: Form<Comment>) -> dewar::Result<Redirect> {
    ///     let (new, bound) = form.bind("notes/comment.html")?;
    ///     bound.or_changed(&new.version, Comment::VERSION, note)?;
    ///     Ok(Redirect::to("/notes"))
    /// }
    /// ```
    ///
    /// # Errors
    /// The page with the conflict.
    pub fn or_changed(
        &self,
        shown: &RecordVersion,
        field: FieldPath<T, RecordVersion>,
        record: &impl Record,
    ) -> Result<(), Error> {
        shown.check(record).map_err(|_| {
            let mut again = self.clone();
            let version = RecordVersion::of(record).show();
            again.view.fill(&field.into_name(), version);
            again.conflict(Message::new("forms-shown-anew"))
        })
    }

    /// The page again at 409 with the typed values and this text above them. For a statement whose own conditions did not
    /// hold, or a form that would overwrite another person's work. The form stays bound to the record that its page showed,
    /// so sending it again changes nothing either; tell the person to open the page again.
    ///
    /// ```
    /// use dewar::database::Db;
    /// use dewar::forms::{Int, Text};
    /// use dewar::{Form, Redirect};
    /// #[derive(Form)]
    /// struct Note { id: Int<1, 999>, body: Text<4_000> }
    /// async fn change(db: Db, form: Form<Note>) -> dewar::Result<Redirect> {
    ///     let (note, bound) = form.bind("notes/edit.html")?;
    ///     let sql = "UPDATE notes SET body = ? WHERE id = ? AND locked = 0";
    ///     match db.execute(sql, [note.body.as_str().into(), note.id.get().into()]).await? {
    ///         0 => Err(bound.conflict("Somebody has locked it. Open the page again.")),
    ///         _ => Ok(Redirect::to("/notes")),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn conflict(mut self, problem: impl Into<Problem>) -> Error {
        self.why = RerenderReason::Changed;
        self.refuse_all(Problems::with_all(problem))
    }

    /// The page again if a [`Quota`](crate::database::Quota) is full, with the typed values. Any other failure passes.
    ///
    /// # Errors
    /// The page with the problem, or the failure.
    pub fn or_full<V, E: Into<database::Error>>(self, result: Result<V, E>) -> Result<V, Error> {
        result.map_err(|error| {
            let error = error.into();
            let database::Error::QuotaFull { most, .. } = error else {
                return error.into();
            };
            let full = Message::new("forms-quota-full").with("most", most);
            self.refuse_all(Problems::with_all(full))
        })
    }

    fn show(self) -> Error {
        // Nobody typed anything, and the page may have many other values around a button.
        let is_button = self.view.is_hidden()
            && !matches!(self.why, RerenderReason::Changed | RerenderReason::Wrong);
        match self.page {
            Some(page) if !is_button && self.prefers != Prefers::Json => {
                let page = page.form(self.name, self.view).status(self.why.status());
                self.why.waits(Error::page(page))
            }
            Some(_) | None => self.why.error(&self.view, self.prefers),
        }
    }
}

impl RerenderReason {
    const fn kind(self) -> ErrorKind {
        match self {
            Self::Changed => ErrorKind::Conflict,
            Self::DiskFull => ErrorKind::InsufficientStorage,
            Self::Busy(_) | Self::NoRoom => ErrorKind::Busy,
            Self::TooLarge => ErrorKind::TooLarge,
            Self::TooOften(_) => ErrorKind::TooManyRequests,
            Self::Wrong => ErrorKind::Unprocessable,
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Changed => StatusCode::CONFLICT,
            Self::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
            Self::Busy(_) | Self::NoRoom => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Wrong => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    fn waits(self, error: Error) -> Error {
        match self {
            Self::NoRoom => error.retry_after(COME_BACK),
            Self::Busy(wait) | Self::TooOften(wait) => error.retry_after(wait),
            Self::Changed | Self::DiskFull | Self::TooLarge | Self::Wrong => error,
        }
    }

    /// The error page, or problem details, of a form that is not shown again.
    fn error(self, view: &UntypedView, prefers: Prefers) -> Error {
        let problems = view.problems.iter();
        let fields = problems.map(|(field, problem)| {
            let label = rows::label(view.fields, field).unwrap_or_default();
            FieldProblem::new(field, problem.words().clone()).labelled(view.name, label)
        });
        let error = self.waits(Error::new(self.kind())).problems(fields);
        if prefers == Prefers::Json {
            return error;
        }
        match view.problems.iter().next() {
            Some((_, problem)) => error.public(problem.words().clone()).typed(view.texts()),
            None => error.typed(view.texts()),
        }
    }
}

/// The refusal of values that no page showed.
pub(super) fn refusal(view: &UntypedView) -> Error {
    RerenderReason::Wrong.error(view, Prefers::Json)
}

impl<T: Model> HandlerInput for Form<T> {
    fn describe(route: &mut Described, _: Sealed) {
        route.form = Some(FormSpec::of::<T>());
        route.label(T::NAME, T::FIELDS);
    }

    fn token(_: proof::TokenQuestion) -> proof::TokenAnswer {
        proof::TokenAnswer::Checked
    }
}

impl<S: Send + Sync, T: Model> FromRequest<S> for Form<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let context = RequestContext::of(&parts)?;
        let (tokens, intake) = (context.tokens()?, context.service::<Intake>()?);
        let admission = &context.admission;
        // Before the body, or a client could send any number of requests side by side and end none.
        let wait = admission.count().await.err();
        let mut reader = FormReader::new::<T>(tokens, intake, &parts.headers);
        reader = reader.of_request(RequestInfo::get(&parts.extensions), context);
        if admission.disk_is_full || wait.is_some() {
            reader = reader.texts_alone();
        }
        let (received, checked) = match reader.read(body).await {
            Ok(read) => read,
            Err(rejection) => return Err(turned_away(context, rejection)),
        };
        let shortage = admission.disk_is_full.then_some(Shortage::Disk);
        let shortage = shortage.or(received.shortage());
        let (model, received) = received
            .read::<T>()
            .map_err(|rejection| turn_away(context, rejection))?;
        let why = match wait {
            // The sender has to make room; waiting does not help.
            None if shortage == Some(Shortage::Kept) => RerenderReason::Wrong,
            _ if shortage == Some(Shortage::Disk) => RerenderReason::DiskFull,
            _ if shortage.is_some() => RerenderReason::NoRoom,
            Some(RateRefusal::NotCounted(wait)) => RerenderReason::Busy(wait),
            Some(RateRefusal::TooMany(wait)) => RerenderReason::TooOften(wait),
            None if received.is_over() => RerenderReason::TooLarge,
            None => RerenderReason::Wrong,
        };
        let mut view = received.into_view::<T>();
        keep_texts(context, &view);
        check_again(context).await?;
        let about_all = if admission.show_only {
            view = view.only(UntypedProblems::default());
            Some(Message::new("forms-look-again"))
        } else if let Some(message) = shortage.and_then(no_room) {
            Some(message)
        } else {
            // The handler gets no values; the page comes again with the typed ones.
            wait.map(RateRefusal::message)
        };
        let is_taken = about_all.is_none();
        match about_all {
            Some(message) => view.add(UntypedProblems::with_all(message)),
            None => events::problems(context, &view.problems),
        }
        Ok(Self {
            model: model.filter(|_| is_taken),
            view,
            name: "form",
            prefers: context.facts().prefers,
            why,
            context: picks::<T>().then(|| context.clone()),
            _checked: checked,
        })
    }
}

/// The response to a form that was not read. If an input before it found the form's work done already, an old CSRF token is
/// no attack.
fn turned_away(context: &RequestContext, rejection: FormRejection) -> Error {
    let done = context.admission.done_already.as_deref();
    match (&rejection, done) {
        (FormRejection::Token { .. }, Some(DoneAlready { to, why })) => {
            Error::redirect(Redirect::to(to.clone()).flash(why.clone()))
        }
        _ => turn_away(context, rejection),
    }
}

/// Whether a form has a field that is one of the records that its handler offers.
fn picks<T: Model>() -> bool {
    T::FIELDS.iter().any(|field| field.kind.picked)
}

/// Stores the texts for the page of an error that the handler returns later.
fn keep_texts(context: &RequestContext, view: &UntypedView) {
    if let Some(typed) = &context.admission.typed {
        typed.keep(view.typed_form());
    }
}

/// The problem of the form as a whole. A person whose quota is full reads the problem beside the field of the file.
fn no_room(shortage: Shortage) -> Option<Message> {
    match shortage {
        Shortage::Disk => Some(Message::new(NO_ROOM)),
        Shortage::Kept => None,
        Shortage::UnderWay => Some(Message::new("forms-files-under-way")),
    }
}

/// The `Retry-After` of a response for lack of room.
const COME_BACK: Duration = Duration::from_secs(60);

/// The message while the disk is full.
pub(crate) const NO_ROOM: &str = "forms-disk-full";

/// Turns a rejection into an error. If it refused the visitor's input, it also logs a security event.
pub(super) fn turn_away(context: &RequestContext, refused: FormRejection) -> Error {
    events::refused(context, &refused);
    let types = if matches!(refused, FormRejection::ContentType) {
        Some(ENCODINGS)
    } else {
        matches!(refused, FormRejection::NotJson).then_some(JSON)
    };
    let error = Error::from(refused);
    match types {
        Some(types) => error.accepts(&context.facts().method, types),
        None => error,
    }
}

/// The media type of a body that is an array.
const JSON: &str = "application/json";

/// The media types of a form.
const ENCODINGS: &str = "application/json, application/x-www-form-urlencoded, multipart/form-data";
