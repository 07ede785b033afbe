use std::borrow::Cow;

use super::view::FormMethod;
use super::{FieldSpec, FormValue, Problem, UntypedView, Widget};
use crate::audit::size;
use crate::csrf::CsrfTokens;
use crate::pages::{Language, Message};

/// One field, while it is rendered.
#[derive(Debug, Clone)]
pub(super) struct RenderedField<'a> {
    pub(super) form: &'a UntypedView,
    pub(super) gate: Option<&'a CsrfTokens>,
    pub(super) language: &'a Language,
    pub(super) spec: &'a FieldSpec,
    /// The name that the form sends; in a row it begins with the list and the row.
    pub(super) name: Cow<'a, str>,
    /// The number of a row.
    pub(super) number: usize,
    /// Whether it is in a row that may stay empty.
    pub(super) spare: bool,
    pub(super) shown: &'a FormValue,
    pub(super) had_file: bool,
}

impl<'a> RenderedField<'a> {
    /// Begins with the form's name, so that two forms on a page do not share an id.
    pub(super) fn id(&self) -> String {
        format!("{}-{}", self.form.name, self.name)
    }

    pub(super) fn part_id(&self, part: &'static str) -> String {
        format!("{}-{}-{part}", self.form.name, self.name)
    }

    /// The input element. A colour picker and a slider always have a value, so an optional field could not stay empty; it becomes
    /// a text box.
    pub(super) fn widget(&self) -> Widget {
        let widget = self.spec.kind.widget;
        if self.is_required() {
            widget
        } else if widget == Widget::Colour {
            Widget::Line
        } else if widget == Widget::Range {
            Widget::Number
        } else {
            widget
        }
    }

    /// Whether the user types the colour instead of choosing it.
    fn spells_colour(&self) -> bool {
        self.spec.kind.widget == Widget::Colour && self.widget() == Widget::Line
    }

    /// The pattern of the whole text.
    pub(super) fn pattern(&self) -> Option<&'static str> {
        let colour = self.spells_colour().then_some("#[0-9A-Fa-f]{6}");
        self.spec.kind.pattern.or(colour)
    }

    /// The fewest characters, from the type or, for a new password, from the settings.
    pub(super) fn min_length(&self) -> Option<usize> {
        let kind = &self.spec.kind;
        let settings = kind
            .new_password()
            .map(|_| self.language.facts().password_characters);
        kind.min_length.max(settings)
    }

    /// The label.
    pub(super) fn label(&self) -> Cow<'a, str> {
        self.word(None, Some(self.spec.label)).unwrap_or_default()
    }

    /// The label of a row's list.
    pub(super) fn list_label(&self) -> Cow<'a, str> {
        let list = self.name.rsplit_once('.').map_or("", |(list, _)| list);
        let said = self.language.label(self.form.name, list, None);
        said.map_or(Cow::Borrowed(self.spec.label), Cow::Owned)
    }

    pub(super) fn hint(&self) -> Option<Cow<'a, str>> {
        let spelled = || {
            self.spells_colour()
                .then(|| Cow::Owned(self.say("forms-colour-hint")))
        };
        let own = self.word(Some("hint"), self.spec.hint).or_else(spelled);
        let Some(rule) = self.rule() else {
            return own;
        };
        let rule = self.language.translate(&rule.into()).into_owned();
        Some(match own {
            Some(own) => format!("{rule} {own}").into(),
            None => rule.into(),
        })
    }

    /// The rule of a value that the browser does not show: the length of a new password, and the accepted files.
    fn rule(&self) -> Option<Message> {
        let kind = &self.spec.kind;
        if kind.new_password().is_some() {
            return Some(Message::new("forms-password-least").with("min", self.min_length()?));
        }
        let most = size(kind.max_bytes.filter(|_| kind.is_file())?);
        Some(match kind.file_kinds {
            Some(kinds) => Message::new("forms-file-hint")
                .with("kinds", kinds)
                .with("size", most),
            None => Message::new("forms-file-hint.any").with("size", most),
        })
    }

    pub(super) fn placeholder(&self) -> Option<Cow<'a, str>> {
        self.word(Some("placeholder"), self.spec.placeholder)
    }

    /// The legend of its group.
    pub(super) fn group(&self) -> Option<Cow<'a, str>> {
        self.word(Some("group"), self.spec.group)
    }

    /// The label of an option: the attribute `is-<value>` of the field's message, or else of the message of the enum.
    pub(super) fn choice(&self, value: &str, label: &'a str) -> Cow<'a, str> {
        let kind = &self.spec.kind;
        if !kind.offers.iter().any(|offer| offer.value == value) {
            return Cow::Borrowed(label);
        }
        let attribute = format!("is-{value}");
        let own = self
            .language
            .label(self.form.name, &self.name, Some(&attribute));
        own.or_else(|| self.language.label_of_choice(kind.choices, &attribute))
            .map_or(Cow::Borrowed(label), Cow::Owned)
    }

    /// The text in the reader's language, or else the program's own.
    fn word(&self, attribute: Option<&str>, own: Option<&'static str>) -> Option<Cow<'a, str>> {
        let said = self.language.label(self.form.name, &self.name, attribute);
        said.map(Cow::Owned).or(own.map(Cow::Borrowed))
    }

    /// A text of the framework.
    pub(super) fn say(&self, id: &'static str) -> String {
        self.language
            .translate(&Message::new(id).into())
            .into_owned()
    }

    pub(super) fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.form.problems.of(&self.name)
    }

    /// The options: the values that the form sends, and the labels that the user reads.
    pub(super) fn offers(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let known = self.spec.kind.offers.iter();
        let offered = self.form.offered(self.spec.name).iter();
        known
            .map(|offer| (offer.value, offer.label))
            .chain(offered.map(|(value, label)| (value.as_str(), label.as_str())))
    }

    /// Whether the browser requires a value. In a row that may stay empty, it cannot know.
    pub(super) fn is_required(&self) -> bool {
        self.spec.kind.required && !self.spare
    }

    /// The rows of a list: those that are filled in or required, and one more.
    pub(super) fn rows(&self) -> impl Iterator<Item = Self> {
        let filled = match self.shown {
            FormValue::Rows(rows) => rows.len(),
            FormValue::Nothing
            | FormValue::Text(_)
            | FormValue::Texts(_)
            | FormValue::ToSeal(_) => 0,
        };
        let needed = filled.max(self.spec.kind.min_items.unwrap_or(0));
        let most = self.spec.kind.max_items.unwrap_or(0);
        (0..(needed + 1).min(most)).map(move |number| Self {
            name: Cow::Owned(format!("{}.{number}", self.name)),
            number,
            spare: self.spare || number >= needed,
            ..self.clone()
        })
    }

    /// The fields of a row.
    pub(super) fn cells(&self) -> impl Iterator<Item = Self> {
        static NOTHING: FormValue = FormValue::Nothing;
        let row = match self.shown {
            FormValue::Rows(rows) => rows.get(self.number),
            FormValue::Nothing
            | FormValue::Text(_)
            | FormValue::Texts(_)
            | FormValue::ToSeal(_) => None,
        };
        let items = self.spec.kind.items.iter().enumerate();
        items.map(move |(place, spec)| Self {
            spec,
            name: Cow::Owned(format!("{}.{}", self.name, spec.name)),
            shown: row.and_then(|row| row.get(place)).unwrap_or(&NOTHING),
            ..self.clone()
        })
    }

    /// The value of a hidden field: sealed now, or as it arrived.
    pub(super) fn sealed(&self) -> Option<Cow<'a, str>> {
        match (self.shown, self.gate) {
            (FormValue::Text(sealed), _) => Some(Cow::Borrowed(sealed)),
            (FormValue::ToSeal(text), Some(gate)) => {
                let place = [self.form.name, self.spec.name];
                gate.seal(&place, text).ok().map(Cow::Owned)
            }
            (
                FormValue::Nothing
                | FormValue::Rows(_)
                | FormValue::Texts(_)
                | FormValue::ToSeal(_),
                _,
            ) => None,
        }
    }

    pub(super) fn is_wrong(&self) -> bool {
        self.problems().next().is_some()
    }

    /// Whether the page opens with the cursor here.
    pub(super) fn is_focused(&self) -> bool {
        self.form.focus() == Some(&*self.name)
    }

    pub(super) fn has_hint(&self) -> bool {
        self.hint().is_some() || self.choose_again()
    }

    /// Whether the user has to choose the file again: the browser shows none, and Dewar deleted the file with the rest.
    pub(super) fn choose_again(&self) -> bool {
        self.had_file && !self.form.problems.is_empty()
    }

    pub(super) fn searching(&self) -> bool {
        self.form.method == FormMethod::Get
    }
}
