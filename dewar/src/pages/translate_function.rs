use std::sync::Arc;

use fluent_bundle::{FluentArgs, FluentValue};
use minijinja::value::{Kwargs, Object, Value, ValueKind, from_args};
use minijinja::{Error, ErrorKind, State};

use super::Language;

/// `{{ t("notes-kept", count=notes|length) }}` in a template: a message in the reader's language, as text.
#[derive(Debug)]
pub(super) struct Say(pub(super) Language);

impl Object for Say {
    fn call(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        values: &[Value],
    ) -> Result<Value, Error> {
        message_of(&self.0, values, Value::to_string).map(Value::from)
    }
}

/// The message that a template asks for. `clean` makes a text of an argument.
pub(super) fn message_of(
    language: &Language,
    values: &[Value],
    clean: impl Fn(&Value) -> String,
) -> Result<String, Error> {
    let (id, named): (&str, Kwargs) = from_args(values)?;
    let mut arguments = FluentArgs::new();
    for name in named.args() {
        let value: Value = named.get(name)?;
        arguments.set(name.to_owned(), argument(&value, &clean));
    }
    language.message(id, &arguments).ok_or_else(|| {
        let text = format!("the message {id:?} does not exist, or needs another argument");
        Error::new(ErrorKind::InvalidOperation, text)
    })
}

fn argument(value: &Value, clean: impl Fn(&Value) -> String) -> FluentValue<'static> {
    match (value.kind(), i64::try_from(value.clone())) {
        (ValueKind::Number, Ok(number)) => FluentValue::from(number),
        _ => FluentValue::from(clean(value)),
    }
}
