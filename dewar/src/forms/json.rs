//! Reads a form from `application/json`, for scripts and other programs. It accepts no more than an HTML form and guesses
//! nothing. A text is a string, a number is a number, a checkbox is a boolean, several values are an array, rows are an array of
//! objects.

use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::config::NAME;
use super::error::FormRejection;
use super::json_fault::{JsonFault, JsonRejection};
use super::list::array;
use super::reader::too_large;
use super::received::{Arrived, Received};
use super::{FieldSpec, Widget};
use crate::audit::near;
use crate::pages::Message;

/// Reads one object, with at most so many values.
pub(super) fn read(text: &[u8], most: usize, received: &mut Received) -> Result<(), FormRejection> {
    let fields = received.fields;
    // A pointer counts the rows as the program sent them.
    received.keep_blank_rows();
    let mut reading = JsonReader {
        received,
        left: most,
        most,
        refused: None,
        opening: String::new(),
    };
    let mut json = serde_json::Deserializer::from_slice(text);
    let read = match array(fields) {
        Some(only) => Rows(FieldSeed {
            reading: &mut reading,
            spec: only,
            name: only.name,
            place: JsonPosition::Field,
        })
        .deserialize(&mut json),
        None => Object {
            reading: &mut reading,
            prefix: "",
            fields,
        }
        .deserialize(&mut json),
    };
    let read = read.and_then(|()| json.end());
    match (reading.refused, read) {
        (Some(Refusal::Whole(refused)), _) => Err(refused),
        // Only the error knows the line and the column. Its text can repeat what was sent, so nobody reads it.
        (Some(Refusal::At(fault, pointer)), Err(error)) => Err(rejection(fault, pointer, &error)),
        (None, Err(error)) => {
            let fault = match (error.is_data(), array(fields)) {
                (true, Some(only)) if reading.opening.is_empty() => {
                    JsonFault::of(&only.kind, false)
                }
                (true, _) => JsonFault::Object,
                (false, _) => JsonFault::Syntax,
            };
            Err(rejection(fault, reading.opening, &error))
        }
        (_, Ok(())) => Ok(()),
    }
}

fn rejection(fault: JsonFault, pointer: String, error: &serde_json::Error) -> FormRejection {
    FormRejection::Json(JsonRejection {
        fault,
        line: error.line(),
        column: error.column(),
        pointer,
    })
}

/// Why the reader stopped.
enum Refusal {
    /// At a place in the text, in the field of this name.
    At(JsonFault, String),
    /// For a reason that has no place.
    Whole(FormRejection),
}

struct JsonReader<'a> {
    received: &'a mut Received,
    left: usize,
    most: usize,
    /// The reason for the refusal; serde's errors carry only a text.
    refused: Option<Refusal>,
    /// The row that the reader is about to open.
    opening: String,
}

impl JsonReader<'_> {
    fn stop<E: serde::de::Error>(&mut self, refused: FormRejection) -> E {
        self.refused = Some(Refusal::Whole(refused));
        E::custom("refused")
    }

    fn stop_at<E: serde::de::Error>(&mut self, fault: JsonFault, name: &str) -> E {
        self.refused = Some(Refusal::At(fault, name.to_owned()));
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
        self.prefix
            .trim_end_matches('.')
            .clone_into(&mut self.reading.opening);
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
                return Err(reading.stop_at(JsonFault::LongName, prefix.trim_end_matches('.')));
            }
            let name = format!("{prefix}{key}");
            let Some(spec) = fields.iter().find(|spec| spec.name == key) else {
                let near = near(&key, fields.iter().map(|spec| spec.name));
                let near = near.map(|near| format!("{prefix}{near}"));
                return Err(reading.stop(FormRejection::UnknownField { name, near }));
            };
            if seen.contains(&spec.name) {
                return Err(reading.stop(FormRejection::TwiceSent(spec.name)));
            }
            seen.push(spec.name);
            if spec.kind.may_be_left_out {
                reading.received.has_member(&name);
            }
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

/// A body that is an array of objects. Nothing else may stand in its place, `null` neither.
struct Rows<'a, 'b>(FieldSeed<'a, 'b>);

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<(), A::Error> {
        self.0.rows(array)
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

    fn wrong<E: serde::de::Error>(self) -> Result<(), E> {
        let fault = JsonFault::of(&self.spec.kind, self.place == JsonPosition::Array);
        Err(self.reading.stop_at(fault, self.name))
    }

    /// A number in its own spelling: a conversion to binary and back would lose digits.
    fn number<E: serde::de::Error>(self, json: &str) -> Result<(), E> {
        match json.bytes().next() {
            Some(b'-' | b'0'..=b'9') => self.text(true, json),
            Some(b'n') => self.visit_unit(),
            Some(b'"') if self.spec.kind.may_be_quoted() => {
                let text = serde_json::from_str(json).map(Zeroizing::<String>::new);
                let text = text.map_err(E::custom)?;
                self.text(true, &text)
            }
            Some(_) | None => self.wrong(),
        }
    }
}

impl<'de> DeserializeSeed<'de> for FieldSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let kind = &self.spec.kind;
        if kind.is_number() && (!kind.repeated || self.place == JsonPosition::Array) {
            let raw = <&RawValue>::deserialize(deserializer)?;
            return self.number(raw.get());
        }
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

    // A field of numbers reads their spelling, so these numbers stand where something else belongs.
    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        self.wrong()
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        self.wrong()
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        self.wrong()
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        let fits = self.spec.kind.widget != Widget::Checkbox;
        self.text(fits, text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<(), A::Error> {
        let kind = &self.spec.kind;
        if self.place == JsonPosition::Array {
            return self.wrong();
        }
        match (kind.items.is_empty(), kind.repeated) {
            (false, _) => self.rows(array),
            (true, true) => self.values(array),
            (true, false) => self.wrong(),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, _map: A) -> Result<(), A::Error> {
        self.wrong()
    }
}

impl FieldSeed<'_, '_> {
    fn values<'de, A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array
            .next_element_seed(FieldSeed {
                reading: &mut *self.reading,
                spec: self.spec,
                name: self.name,
                place: JsonPosition::Array,
            })?
            .is_some()
        {}
        Ok(())
    }

    /// Rows count like fields, because an empty row costs memory too. It counts the rows beyond the list's most and keeps none.
    fn rows<'de, A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let Self {
            reading,
            spec,
            name,
            ..
        } = self;
        let most = spec.kind.max_items.unwrap_or(0);
        let mut number = 0;
        loop {
            let more = if number < most {
                let prefix = format!("{name}.{number}.");
                let row = RowSeed(Object {
                    reading: &mut *reading,
                    prefix: &prefix,
                    fields: spec.kind.items,
                });
                array.next_element_seed(row)?.is_some()
            } else {
                array.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                break;
            }
            reading.count().map_err(|refused| reading.stop(refused))?;
            number += 1;
        }
        if number > most {
            reading.received.too_many_rows(name, most);
        }
        Ok(())
    }
}

/// A row. It exists also if it has no value: the missing ones are problems of this row.
struct RowSeed<'a, 'b>(Object<'a, 'b>);

impl<'de> DeserializeSeed<'de> for RowSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.reading.received.begin_row(self.0.prefix);
        self.0.deserialize(deserializer)
    }
}
