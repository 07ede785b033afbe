//! Reads a form from `application/json`, for scripts of the application's own pages. It accepts no more than an HTML form and
//! guesses nothing. A text is a string, a number is a number or a string, a checkbox is a boolean, several values are an array,
//! rows are an array of objects.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

use zeroize::Zeroizing;

use super::config::NAME;
use super::error::FormRejection;
use super::reader::too_large;
use super::received::{Arrived, Received};
use super::{FieldSpec, Widget};
use crate::pages::Message;

/// The most digits that survive a conversion to 64-bit binary and back.
const EXACT: usize = 15;

/// Reads one object, with at most so many values.
pub(super) fn read(text: &[u8], most: usize, received: &mut Received) -> Result<(), FormRejection> {
    let fields = received.fields;
    let mut reading = JsonReader {
        received,
        left: most,
        most,
        refused: None,
    };
    let mut json = serde_json::Deserializer::from_slice(text);
    let object = Object {
        reading: &mut reading,
        prefix: "",
        fields,
    };
    let read = object.deserialize(&mut json).and_then(|()| json.end());
    match (reading.refused, read) {
        (Some(refused), _) => Err(refused),
        (None, Err(_)) => Err(FormRejection::Malformed(
            "it is not JSON, or not exactly one object",
        )),
        (None, Ok(())) => Ok(()),
    }
}

struct JsonReader<'a> {
    received: &'a mut Received,
    left: usize,
    most: usize,
    /// The reason for the refusal; serde's errors carry only a text.
    refused: Option<FormRejection>,
}

impl JsonReader<'_> {
    fn stop<E: serde::de::Error>(&mut self, refused: FormRejection) -> E {
        self.refused = Some(refused);
        E::custom("refused")
    }

    fn count(&mut self) -> Result<(), FormRejection> {
        let most = self.most;
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            FormRejection::TooLarge(Message::new("forms-most-fields").with("max", most))
        })?;
        Ok(())
    }

    fn add(&mut self, name: &str, spec: &FieldSpec, text: &str) -> Result<(), FormRejection> {
        self.count()?;
        if text.len() > spec.kind.text_bytes() {
            return Err(too_large("forms-most-field-bytes", spec.kind.text_bytes()));
        }
        let text = Zeroizing::new(text.to_owned());
        self.received.add(name, Arrived::Text(text))
    }
}

/// A form, or a row of one.
struct Object<'a, 'b> {
    reading: &'a mut JsonReader<'b>,
    prefix: &'a str,
    fields: &'static [FieldSpec],
}

impl<'de> DeserializeSeed<'de> for Object<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self {
            reading,
            prefix,
            fields,
        } = self;
        let mut seen: Vec<&str> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key.len() > NAME {
                return Err(
                    reading.stop(FormRejection::Malformed("the name of a field is too long"))
                );
            }
            let name = format!("{prefix}{key}");
            let Some(spec) = fields.iter().find(|spec| spec.name == key) else {
                return Err(reading.stop(FormRejection::UnknownField(name)));
            };
            if seen.contains(&spec.name) {
                return Err(reading.stop(FormRejection::TwiceSent(spec.name)));
            }
            seen.push(spec.name);
            map.next_value_seed(FieldSeed {
                reading,
                spec,
                name: &name,
                place: JsonPosition::Field,
            })?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum JsonPosition {
    Field,
    /// In an array: one of several values.
    Array,
}

/// The value of a field.
struct FieldSeed<'a, 'b> {
    reading: &'a mut JsonReader<'b>,
    spec: &'static FieldSpec,
    name: &'a str,
    place: JsonPosition,
}

impl FieldSeed<'_, '_> {
    fn text<E: serde::de::Error>(self, fits: bool, text: &str) -> Result<(), E> {
        let kind = &self.spec.kind;
        let one = kind.repeated == (self.place == JsonPosition::Array);
        if !fits || !one || kind.is_file() || !kind.items.is_empty() {
            return self.wrong();
        }
        let added = self.reading.add(self.name, self.spec, text);
        added.map_err(|refused| self.reading.stop(refused))
    }

    fn number<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let exact = digits <= EXACT || !text.contains('.');
        let fits = self.spec.kind.is_number() && exact;
        self.text(fits, text)
    }

    fn wrong<E: serde::de::Error>(self) -> Result<(), E> {
        let refused = FormRejection::Malformed("a value has another type than its field");
        Err(self.reading.stop(refused))
    }
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FieldSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the value of a field")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        if self.place == JsonPosition::Array {
            return self.wrong();
        }
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, ticked: bool) -> Result<(), E> {
        let fits = self.spec.kind.widget == Widget::Checkbox;
        if fits && !ticked && self.place == JsonPosition::Field {
            return Ok(());
        }
        self.text(fits && ticked, "on")
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<(), E> {
        self.number(&number.to_string())
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<(), E> {
        self.number(&number.to_string())
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<(), E> {
        self.number(&format!("{number:?}"))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let fits = self.spec.kind.widget != Widget::Checkbox;
        self.text(fits, text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let Self {
            reading,
            spec,
            name,
            place,
        } = self;
        let is_list = !spec.kind.items.is_empty();
        if place == JsonPosition::Array || !(is_list || spec.kind.repeated) {
            let refused = FormRejection::Malformed("a value has another type than its field");
            return Err(reading.stop(refused));
        }
        let mut number = 0;
        loop {
            let more = if is_list {
                let prefix = format!("{name}.{number}.");
                // Rows count like fields, because an empty row costs memory too.
                if let Err(refused) = reading.count() {
                    return Err(reading.stop(refused));
                }
                array.next_element_seed(Object {
                    reading,
                    prefix: &prefix,
                    fields: spec.kind.items,
                })?
            } else {
                array.next_element_seed(FieldSeed {
                    reading,
                    spec,
                    name,
                    place: JsonPosition::Array,
                })?
            };
            if more.is_none() {
                return Ok(());
            }
            number += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, _map: A) -> Result<(), A::Error> {
        self.wrong()
    }
}
