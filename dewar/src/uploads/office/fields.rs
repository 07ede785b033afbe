//! The fields of Word: instructions that Word carries out when it opens or prints a document.

use super::DDE;
use super::target::Target;
use crate::uploads::rejection::UploadRejection;
use crate::uploads::xml::Element;

/// The longest instruction that Dewar puts together.
const MAX_INSTRUCTION: usize = 64 * 1024;

/// The most fields inside each other.
const MAX_DEPTH: usize = 64;

/// The fields that are open at a place of a text. Their instructions are written in pieces.
#[derive(Debug, Default)]
pub(super) struct Fields {
    open: Vec<Field>,
    in_instruction: bool,
}

#[derive(Debug, Default)]
struct Field {
    instruction: String,
    /// A field inside stands where the name of this one should be, so its name is computed.
    is_hidden: bool,
    has_result: bool,
}

impl Fields {
    /// # Errors
    /// A field starts a program, hides its name, or loads something.
    pub(super) fn start(&mut self, element: &Element) -> Result<(), UploadRejection> {
        match element.name.as_str() {
            "instrText" | "delInstrText" => self.in_instruction = true,
            "fldSimple" => {
                for instruction in element.all("instr") {
                    look(instruction)?;
                }
            }
            "fldChar" => {
                for kind in element.all("fldCharType") {
                    self.mark(kind)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn mark(&mut self, kind: &str) -> Result<(), UploadRejection> {
        match kind {
            "begin" => {
                if let Some(outer) = self.open.last_mut() {
                    outer.is_hidden |= !outer.has_result && outer.instruction.trim().is_empty();
                }
                if self.open.len() == MAX_DEPTH {
                    return Err(UploadRejection::Bomb);
                }
                self.open.push(Field::default());
            }
            "separate" => {
                if let Some(field) = self.open.last_mut() {
                    field.has_result = true;
                }
            }
            "end" => {
                if let Some(field) = self.open.pop() {
                    field.look()?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// # Errors
    /// The instruction is too long.
    pub(super) fn text(&mut self, text: &str) -> Result<(), UploadRejection> {
        let Some(field) = self.open.last_mut().filter(|_| self.in_instruction) else {
            return Ok(());
        };
        field.instruction.push_str(text);
        if field.instruction.len() > MAX_INSTRUCTION {
            return Err(UploadRejection::Bomb);
        }
        Ok(())
    }

    pub(super) fn end(&mut self, name: &str) {
        if matches!(name, "instrText" | "delInstrText") {
            self.in_instruction = false;
        }
    }

    /// Looks at the fields without an end.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub(super) fn finish(&mut self) -> Result<(), UploadRejection> {
        self.open.drain(..).try_for_each(|field| field.look())
    }
}

impl Field {
    fn look(&self) -> Result<(), UploadRejection> {
        if self.is_hidden {
            return Err(UploadRejection::Active {
                what: "a field whose name is hidden",
            });
        }
        look(&self.instruction)
    }
}

fn look(instruction: &str) -> Result<(), UploadRejection> {
    let mut words = instruction.split_whitespace();
    let name = words.next().unwrap_or_default().to_ascii_uppercase();
    let loads = |instruction: &str| {
        let quoted = instruction.split(['"', '\u{201c}', '\u{201d}', ' ']);
        let mut addresses = quoted.map(|address| Target::of(&address.replace(r"\\", r"\")));
        addresses.any(|target| target == Target::Network)
            || instruction.contains(r"\\\\")
            || instruction.contains(r#""\\"#)
    };
    match name.as_str() {
        "DDE" | "DDEAUTO" => Err(DDE),
        // A picture is kept in the document; with the switch `d` it is not, and Word fetches it.
        "INCLUDEPICTURE" | "IMPORT" => {
            let is_linked = words.any(|word| word.eq_ignore_ascii_case(r"\d"));
            let is_share = instruction.contains(r"\\\\") || instruction.contains(r#""\\"#);
            if (is_linked && loads(instruction)) || is_share {
                return Err(UploadRejection::External);
            }
            Ok(())
        }
        "INCLUDETEXT" | "INCLUDE" | "LINK" | "DATABASE" | "RD" if loads(instruction) => {
            Err(UploadRejection::External)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_judged_by_its_instruction() {
        for (instruction, expected) in [
            (r#" DDEAUTO c:\\windows\\cmd.exe "/k calc" "#, Err(DDE)),
            ("dde excel a b", Err(DDE)),
            (" PAGE \\* MERGEFORMAT ", Ok(())),
            (" HYPERLINK \"https://a.example/DDEAUTO\" ", Ok(())),
            (" REF DDEAUTO ", Ok(())),
            (
                " INCLUDEPICTURE \"https://a.example/a.png\" \\* MERGEFORMATINET ",
                Ok(()),
            ),
            (" INCLUDEPICTURE \"cid:a@b\" \\d ", Ok(())),
            (" INCLUDEPICTURE \"C:\\\\a.png\" \\d", Ok(())),
            (
                " INCLUDEPICTURE \"https://a.example/a.png\" \\d ",
                Err(UploadRejection::External),
            ),
            (
                " INCLUDEPICTURE \"\\\\\\\\host\\\\a.png\" ",
                Err(UploadRejection::External),
            ),
            (
                " INCLUDETEXT \"https://a.example/a\" ",
                Err(UploadRejection::External),
            ),
            (" LINK Excel.Sheet.12 \"C:\\\\a.xlsx\" \\a", Ok(())),
            (
                " LINK Excel.Sheet.12 \"\\\\\\\\host\\\\a.xlsx\" \\a",
                Err(UploadRejection::External),
            ),
        ] {
            assert_eq!(look(instruction), expected, "{instruction}");
        }
    }
}
