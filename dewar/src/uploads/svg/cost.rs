//! How much a drawing draws once every reference is followed: ten `use` of ten `use` of ten is a thousand.

use std::collections::HashMap;

use super::{Content, Drawing, Element, damaged, lists};
use crate::uploads::recognise::RecognitionError;
use crate::uploads::rejection::UploadRejection;

/// The most elements that are drawn.
const MAX_DRAWN: u64 = 200_000;

/// How deep references may go.
const MAX_REFERENCES: u8 = 16;

/// # Errors
/// References go in a circle or too deep, or draw too much.
pub(super) fn check(drawing: &Drawing) -> Result<(), RecognitionError> {
    let mut ids = HashMap::new();
    for (number, element) in drawing.elements.iter().enumerate() {
        if let Some((_, id)) = element.attributes.iter().find(|(name, _)| *name == "id") {
            ids.entry(id.as_str()).or_insert(number);
        }
    }
    let mut costs = Costs {
        drawing,
        ids,
        known: HashMap::new(),
    };
    for number in 0..drawing.elements.len() {
        costs.of(number, 0)?;
    }
    Ok(())
}

struct Costs<'a> {
    drawing: &'a Drawing,
    ids: HashMap<&'a str, usize>,
    /// `None` while an element is being counted: to meet it again is a circle.
    known: HashMap<usize, Option<u64>>,
}

impl Costs<'_> {
    fn of(&mut self, number: usize, references: u8) -> Result<u64, RecognitionError> {
        if references > MAX_REFERENCES {
            return Err(UploadRejection::Bomb.into());
        }
        match self.known.get(&number) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Err(UploadRejection::Bomb.into()),
            None => {}
        }
        self.known.insert(number, None);
        let drawing = self.drawing;
        let element = drawing.elements.get(number).ok_or_else(damaged)?;
        let mut cost = 1_u64;
        for content in &element.content {
            if let Content::Element(child) = content {
                cost = cost.saturating_add(self.of(*child, references)?);
            }
        }
        for id in referenced(element) {
            if let Some(target) = self.ids.get(id).copied() {
                cost = cost.saturating_add(self.of(target, references + 1)?);
            }
        }
        if cost > MAX_DRAWN {
            return Err(UploadRejection::Bomb.into());
        }
        self.known.insert(number, Some(cost));
        Ok(cost)
    }
}

fn referenced(element: &Element) -> impl Iterator<Item = &str> {
    element.attributes.iter().flat_map(|(name, value)| {
        if *name == "href" {
            value.strip_prefix('#').into_iter().collect()
        } else {
            lists::references(value).unwrap_or_default()
        }
    })
}
