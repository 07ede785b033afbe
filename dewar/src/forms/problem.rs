use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use super::FieldPath;
use crate::pages::{Message, Words};

/// The problem of one field, in words for the person who filled it in.
///
/// ```
/// let problem = dewar::forms::Problem::new("Enter a year that has begun.");
/// assert_eq!(problem.to_string(), "Enter a year that has begun.");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    words: Words,
    kind: ProblemKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ProblemKind {
    Altered,
    Broken,
    File(RefusedFile),
    NotOffered,
}

/// A file that was refused for its name or size, for the log of security events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RefusedFile {
    /// The visitor's name for it.
    pub(crate) name: String,
    /// The reason, in one word.
    pub(crate) why: &'static str,
}

impl Problem {
    /// A broken rule. Say what to do, in a text or in a translated [`Message`].
    pub fn new(words: impl Into<Words>) -> Self {
        Self {
            words: words.into(),
            kind: ProblemKind::Broken,
        }
    }

    /// The field is empty.
    #[must_use]
    pub fn missing() -> Self {
        Self::new(Message::new("forms-missing"))
    }

    /// The user chose no file.
    #[must_use]
    pub fn missing_file() -> Self {
        Self::new(Message::new("forms-missing-file"))
    }

    /// The value is not one of the options. A browser does not send that, so Dewar logs it as a security event (OWASP *Input
    /// Validation*).
    #[must_use]
    pub fn not_offered() -> Self {
        Self {
            words: Message::new("forms-not-offered").into(),
            kind: ProblemKind::NotOffered,
        }
    }

    /// A sealed value was changed on its way, or belongs to another page.
    pub(crate) fn altered() -> Self {
        Self {
            words: Message::new("forms-altered").into(),
            kind: ProblemKind::Altered,
        }
    }

    pub(super) fn too_long(max: usize, length: usize) -> Self {
        Self::new(
            Message::new("forms-too-long")
                .with("max", max)
                .with("length", length),
        )
    }

    /// A refused file; Dewar logs it as a security event (ASVS 16.3.3).
    pub(crate) fn refused_file(words: impl Into<Words>, file: RefusedFile) -> Self {
        Self {
            words: words.into(),
            kind: ProblemKind::File(file),
        }
    }

    /// The message for the user.
    #[must_use]
    pub fn words(&self) -> &Words {
        &self.words
    }

    pub(super) fn is_altered(&self) -> bool {
        self.kind == ProblemKind::Altered
    }

    pub(super) fn is_discrete(&self) -> bool {
        self.kind == ProblemKind::NotOffered
    }

    pub(super) fn is_broken_rule(&self) -> bool {
        self.kind == ProblemKind::Broken
    }

    pub(super) fn file(&self) -> Option<&RefusedFile> {
        match &self.kind {
            ProblemKind::File(file) => Some(file),
            ProblemKind::Altered | ProblemKind::Broken | ProblemKind::NotOffered => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words.fmt(f)
    }
}

impl std::error::Error for Problem {}

/// All problems of a form at once, each at one of its fields.
///
/// ```
/// use dewar::Form;
/// use dewar::forms::{Date, Problems};
/// #[derive(Form)]
/// struct Trip { starts: Date, ends: Date }
/// let problems = Problems::at(Trip::ENDS, "Choose a day after the first.").and(Trip::STARTS, "That day is over.");
/// assert_eq!(problems.of(Trip::ENDS).count(), 1);
/// ```
pub struct Problems<T> {
    all: UntypedProblems,
    form: PhantomData<fn() -> T>,
}

impl<T> Problems<T> {
    pub(super) fn of_any(all: UntypedProblems) -> Self {
        Self {
            all,
            form: PhantomData,
        }
    }

    pub(super) fn untyped(self) -> UntypedProblems {
        self.all
    }

    /// A problem with a field.
    pub fn at<F>(field: FieldPath<T, F>, problem: impl Into<Problem>) -> Self {
        Self::default().and(field, problem)
    }

    /// A problem with the form as a whole.
    pub fn with_all(problem: impl Into<Problem>) -> Self {
        Self::of_any(UntypedProblems::with_all(problem))
    }

    /// Adds another problem.
    #[must_use]
    pub fn and<F>(mut self, field: FieldPath<T, F>, problem: impl Into<Problem>) -> Self {
        self.add(field, problem);
        self
    }

    /// Adds a problem with a field.
    pub fn add<F>(&mut self, field: FieldPath<T, F>, problem: impl Into<Problem>) {
        self.all.add(field.into_name(), problem);
    }

    /// Adds a problem with the form as a whole.
    #[must_use]
    pub fn and_all(mut self, problem: impl Into<Problem>) -> Self {
        self.all.add("", problem);
        self
    }

    /// Whether the form has no problems.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The problems of a field.
    pub fn of<F>(&self, field: FieldPath<T, F>) -> impl Iterator<Item = &Problem> {
        let field = field.into_name();
        let all = self.iter().filter(move |(name, _)| *name == field);
        all.map(|(_, problem)| problem)
    }

    /// All problems, each with its field's name; the form as a whole has an empty name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Problem)> {
        self.all.iter()
    }

    /// The same problems, of a form that has these fields too.
    pub(crate) fn of_form<U>(self) -> Problems<U> {
        Problems::of_any(self.all)
    }

    pub(crate) fn extend(&mut self, others: Self) {
        self.all.extend(others.all);
    }

    /// `Ok` if the form has no problems: the end of a `#[form(check = …)]`.
    ///
    /// # Errors
    /// The problems themselves.
    pub fn into_result(self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self) }
    }
}

impl<T> Default for Problems<T> {
    fn default() -> Self {
        Self::of_any(UntypedProblems::default())
    }
}

impl<T> Clone for Problems<T> {
    fn clone(&self) -> Self {
        Self::of_any(self.all.clone())
    }
}

impl<T> PartialEq for Problems<T> {
    fn eq(&self, other: &Self) -> bool {
        self.all == other.all
    }
}

impl<T> Eq for Problems<T> {}

impl<T> fmt::Debug for Problems<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.all, f)
    }
}

impl<T> fmt::Display for Problems<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (field, problem)) in self.iter().enumerate() {
            if number > 0 {
                f.write_str(" ")?;
            }
            if field.is_empty() {
                write!(f, "{problem}")?
            } else {
                write!(f, "{field}: {problem}")?
            }
        }
        Ok(())
    }
}

impl<T> std::error::Error for Problems<T> {}

/// The problems of a form whose type is not at hand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct UntypedProblems(Vec<(Cow<'static, str>, Problem)>);

impl UntypedProblems {
    pub(super) fn at(field: impl Into<Cow<'static, str>>, problem: impl Into<Problem>) -> Self {
        let mut all = Self::default();
        all.add(field, problem);
        all
    }

    pub(super) fn with_all(problem: impl Into<Problem>) -> Self {
        Self::at("", problem)
    }

    pub(super) fn add(&mut self, field: impl Into<Cow<'static, str>>, problem: impl Into<Problem>) {
        self.0.push((field.into(), problem.into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn of<'a>(&'a self, field: &'a str) -> impl Iterator<Item = &'a Problem> {
        let all = self.iter().filter(move |(name, _)| *name == field);
        all.map(|(_, problem)| problem)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Problem)> {
        let all = self.0.iter();
        all.map(|(name, problem)| (name.as_ref(), problem))
    }

    pub(super) fn into_iter(self) -> impl Iterator<Item = (Cow<'static, str>, Problem)> {
        self.0.into_iter()
    }

    pub(super) fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

impl From<&'static str> for Problem {
    fn from(text: &'static str) -> Self {
        Self::new(text)
    }
}

impl From<Message> for Problem {
    fn from(message: Message) -> Self {
        Self::new(message)
    }
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}
