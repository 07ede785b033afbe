//! The fields of Word: instructions that Word carries out when it opens or prints a document.

use super::DDE;
use super::target::Target;
use crate::uploads::link;
use crate::uploads::rejection::UploadRejection;
use crate::uploads::xml::{Element, Space};

const UNSEEN: UploadRejection = UploadRejection::Active {
    what: "a field that cannot be examined",
};

/// The longest instruction that Dewar puts together.
const MAX_INSTRUCTION: usize = 64 * 1024;

/// The most fields inside each other.
const MAX_DEPTH: usize = 64;

/// The fields that are open at a place of a text. Their instructions are written in pieces.
///
/// Word forgets an element that it does not know, and takes one of several alternatives. So inside each element that is not of
/// Word, fields begin and end anew.
#[derive(Debug, Default)]
pub(super) struct Fields {
    open: Vec<Field>,
    /// The fields that are open around each element that is not of Word.
    around: Vec<Vec<Field>>,
    /// Whether each open element is not of Word.
    is_other: Vec<bool>,
    in_instruction: bool,
    is_deleted: bool,
}

#[derive(Debug, Default)]
struct Field {
    instruction: String,
    /// The instruction without what a tracked change deleted.
    kept: String,
    /// A field inside stands where the name of this one should be, so its name is computed.
    is_hidden: bool,
    /// A field inside may compute an address.
    has_inner: bool,
    has_result: bool,
}

impl Fields {
    /// # Errors
    /// A field starts a program, hides its name, or loads something.
    pub(super) fn start(&mut self, element: &Element) -> Result<(), UploadRejection> {
        let name = element.name.as_str();
        let is_piece = matches!(name, "instrText" | "delInstrText" | "fldSimple" | "fldChar");
        let is_double = element.all("fldCharType").count() > 1 || element.all("instr").count() > 1;
        let is_false = element.space != Space::Word || element.has_false_field || is_double;
        if is_piece && is_false {
            return Err(UNSEEN);
        }
        let is_other = element.space == Space::Other;
        self.is_other.push(is_other);
        if is_other {
            self.around.push(std::mem::take(&mut self.open));
        }
        match name {
            "instrText" | "delInstrText" => {
                self.in_instruction = true;
                self.is_deleted = name == "delInstrText";
            }
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
                let around = self.around.iter_mut().rev();
                let mut outer = std::iter::once(&mut self.open).chain(around);
                if let Some(outer) = outer.find_map(|open| open.last_mut()) {
                    outer.has_inner |= !outer.has_result;
                    outer.is_hidden |= !outer.has_result && outer.is_in_name();
                }
                if self.open.len() == MAX_DEPTH {
                    return Err(UploadRejection::Bomb);
                }
                self.open.push(Field::default());
            }
            "separate" | "end" if self.open.is_empty() && !self.around.is_empty() => {
                return Err(UNSEEN);
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
    /// The instruction is too long, or of no field.
    pub(super) fn text(&mut self, text: &str) -> Result<(), UploadRejection> {
        if !self.in_instruction {
            return Ok(());
        }
        let Some(field) = self.open.last_mut() else {
            let is_cut = !self.around.is_empty() && !text.trim().is_empty();
            return if is_cut { Err(UNSEEN) } else { Ok(()) };
        };
        field.instruction.push_str(text);
        if !self.is_deleted {
            field.kept.push_str(text);
        }
        if field.instruction.len() > MAX_INSTRUCTION {
            return Err(UploadRejection::Bomb);
        }
        Ok(())
    }

    /// # Errors
    /// A field is not at its end where an element that is not of Word is.
    pub(super) fn end(&mut self, name: &str) -> Result<(), UploadRejection> {
        if matches!(name, "instrText" | "delInstrText") {
            self.in_instruction = false;
        }
        if self.is_other.pop() == Some(true) {
            if !self.open.is_empty() {
                return Err(UNSEEN);
            }
            self.open = self.around.pop().unwrap_or_default();
        }
        Ok(())
    }

    /// Looks at the fields without an end.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub(super) fn finish(&mut self) -> Result<(), UploadRejection> {
        let around = self.around.drain(..).flatten();
        let mut fields = around.chain(self.open.drain(..));
        fields.try_for_each(|field| field.look())
    }
}

impl Field {
    fn look(&self) -> Result<(), UploadRejection> {
        if self.is_hidden {
            return Err(UploadRejection::Active {
                what: "a field whose name is hidden",
            });
        }
        for instruction in [&self.instruction, &self.kept] {
            if self.has_inner && loads_from_an_address(instruction) {
                return Err(UploadRejection::External);
            }
            look(instruction)?;
        }
        Ok(())
    }

    fn is_in_name(&self) -> bool {
        // A field may be deleted as a whole.
        let is_deleted = self.kept.trim().is_empty();
        is_in_name(if is_deleted {
            &self.instruction
        } else {
            &self.kept
        })
    }
}

/// Whether the name of the field has not ended. What begins with `=` is a sum and has no name.
fn is_in_name(instruction: &str) -> bool {
    let begun = instruction.trim_start();
    !begun.starts_with('=') && !begun.contains(char::is_whitespace)
}

/// The name of the field, in upper case. The text in quotes, or the switch, may follow it at once.
fn name_of(instruction: &str) -> String {
    let ends = |letter: char| {
        letter.is_whitespace() || matches!(letter, '"' | '\u{201c}' | '\u{201d}' | '\\')
    };
    let name = instruction.trim_start().split(ends).next();
    name.unwrap_or_default().to_ascii_uppercase()
}

/// Whether Word loads what the field names, wherever that is.
fn loads_from_an_address(instruction: &str) -> bool {
    match name_of(instruction).as_str() {
        "INCLUDETEXT" | "INCLUDE" | "LINK" | "DATABASE" | "RD" | "IMPORT" => true,
        "INCLUDEPICTURE" => is_linked(instruction),
        _ => false,
    }
}

/// Whether a picture has the switch `d`: it is not kept in the document, and Word fetches it.
fn is_linked(instruction: &str) -> bool {
    let mut words = instruction.split_whitespace();
    words.any(|word| word.eq_ignore_ascii_case(r"\d"))
}

/// The words and the texts in quotes of an instruction.
fn arguments(instruction: &str) -> Vec<String> {
    let mut found: Vec<String> = vec![String::new()];
    let mut is_quoted = false;
    for letter in instruction.chars() {
        let is_quote = matches!(letter, '"' | '\u{201c}' | '\u{201d}');
        is_quoted ^= is_quote;
        if is_quote || (letter.is_whitespace() && !is_quoted) {
            found.push(String::new());
        } else if let Some(last) = found.last_mut() {
            last.push(letter);
        }
    }
    found.retain(|argument| !argument.trim().is_empty());
    found
        .iter()
        .map(|argument| argument.replace(r"\\", r"\"))
        .collect()
}

/// Whether a click on a link runs something. The tip after the switch `o` is shown, and may say anything.
fn links_to_a_program(instruction: &str) -> bool {
    let mut is_tip = false;
    arguments(instruction).iter().any(|argument| {
        let is_shown = is_tip;
        is_tip = argument.eq_ignore_ascii_case(r"\o");
        !is_shown && link::runs(argument)
    })
}

/// Whether an address is on a share of some computer, which is told who asks.
fn is_share(address: &str) -> bool {
    let path = address.trim().replace('\\', "/").to_ascii_lowercase();
    (path.starts_with("//") || path.starts_with("file:")) && Target::of(&path) == Target::Network
}

fn look(instruction: &str) -> Result<(), UploadRejection> {
    let name = name_of(instruction);
    let loads = |instruction: &str| {
        let quoted = instruction.split(['"', '\u{201c}', '\u{201d}', ' ']);
        let mut addresses = quoted.map(|address| Target::of(&address.replace(r"\\", r"\")));
        addresses.any(|target| target == Target::Network)
            || instruction.contains(r"\\\\")
            || instruction.contains(r#""\\"#)
    };
    match name.as_str() {
        "DDE" | "DDEAUTO" => Err(DDE),
        "INCLUDEPICTURE" | "IMPORT" => {
            let is_share = instruction.contains(r"\\\\")
                || instruction.contains(r#""\\"#)
                || arguments(instruction)
                    .iter()
                    .any(|address| is_share(address));
            if (is_linked(instruction) && loads(instruction)) || is_share {
                return Err(UploadRejection::External);
            }
            Ok(())
        }
        "INCLUDETEXT" | "INCLUDE" | "LINK" | "DATABASE" | "RD" if loads(instruction) => {
            Err(UploadRejection::External)
        }
        "HYPERLINK" if links_to_a_program(instruction) => Err(UploadRejection::Active {
            what: "a link that runs a program",
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNS: UploadRejection = UploadRejection::Active {
        what: "a link that runs a program",
    };

    #[test]
    fn a_field_is_judged_by_its_instruction() {
        for (instruction, expected) in [
            (r#" DDEAUTO c:\\windows\\cmd.exe "/k calc" "#, Err(DDE)),
            ("dde excel a b", Err(DDE)),
            (" PAGE \\* MERGEFORMAT ", Ok(())),
            (" HYPERLINK \"https://a.example/DDEAUTO\" ", Ok(())),
            (" REF DDEAUTO ", Ok(())),
            ("HYPERLINK \"https://a.example\" \\o \"Data: all\"", Ok(())),
            ("HYPERLINK \"ms-msdt:/id\"", Err(RUNS)),
            ("HYPERLINK search-ms:query=a", Err(RUNS)),
            ("HYPERLINK \"C:\\\\Windows\\\\calc.exe\"", Err(RUNS)),
            ("HYPERLINK \"file:///C:/Windows/calc.exe\"", Err(RUNS)),
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
            ("DDEAUTO\"c:\\\\cmd.exe\"", Err(DDE)),
            (
                "INCLUDEPICTURE \"//host/share/a.png\"",
                Err(UploadRejection::External),
            ),
            (
                "INCLUDEPICTURE \"file://host/share/a.png\"",
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

    #[test]
    fn what_another_field_computes_is_no_name_and_no_address() {
        let judged = |before: &str, after: &str| {
            let mut field = Field {
                instruction: before.to_owned(),
                is_hidden: is_in_name(before),
                has_inner: true,
                ..Field::default()
            };
            field.instruction.push_str(after);
            field.look().map_err(|refused| refused.word())
        };
        assert_eq!(judged("DD", " c:\\\\cmd.exe"), Err("active_content"));
        assert_eq!(judged("=", "*2"), Ok(()));
        assert_eq!(judged("IF ", " = 1 \"a\" \"b\""), Ok(()));
        assert_eq!(judged(" INCLUDETEXT ", ""), Err("external"));
        assert_eq!(judged(" INCLUDEPICTURE ", " \\d"), Err("external"));
        assert_eq!(judged(" INCLUDEPICTURE ", ""), Ok(()));
    }
}
