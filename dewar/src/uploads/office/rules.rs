//! The rules for a part of an office document. One rule for OOXML and `OpenDocument`: nothing that runs, and nothing that
//! a program fetches by itself when it opens the document.

use super::fields::Fields;
use super::target::Target;
use super::{DDE, MACROS, PROGRAM, relations};
use crate::uploads::link;
use crate::uploads::rejection::UploadRejection;
use crate::uploads::xml::{Element, Piece};

/// The longest formula that Dewar looks at as a whole. Excel takes 8,192 characters.
const MAX_FORMULA: usize = 64 * 1024;

/// Looks at the pieces of one part, in their order.
#[derive(Debug, Default)]
pub(super) struct PartRules {
    fields: Fields,
    /// The formulas that are open, innermost last.
    formulas: Vec<Formula>,
    /// How many elements are open.
    depth: usize,
    /// Whether this is the data of a pivot table that is read anew when the file is opened.
    refreshed: bool,
    root: Root,
    /// Whether the part is data of some other program, which Office keeps and never shows.
    is_data: bool,
}

/// The text of a formula, without that of the elements inside: Excel forgets those, and a fraction in Word, which has the same
/// name, has all its text there.
#[derive(Debug)]
struct Formula {
    text: String,
    depth: usize,
}

/// The first element of a part.
#[derive(Debug, Default, PartialEq, Eq)]
enum Root {
    #[default]
    Unseen,
    /// Buttons of an application.
    Ribbon,
    Other,
}

impl PartRules {
    /// For the part of this name, in lower case.
    pub(super) fn of(part: &str) -> Self {
        let item = part.strip_prefix("customxml/item");
        Self {
            is_data: item.is_some_and(|rest| !rest.contains('/')),
            ..Self::default()
        }
    }

    /// # Errors
    /// The piece runs or loads something.
    pub(super) fn look(&mut self, piece: &Piece<'_>) -> Result<(), UploadRejection> {
        match piece {
            Piece::Start(element) => self.start(element),
            Piece::Text(text) => {
                self.fields.text(text)?;
                self.text_of_formula(text)
            }
            Piece::End(name) => {
                self.fields.end(name)?;
                self.depth = self.depth.saturating_sub(1);
                if is_formula(name)
                    && let Some(formula) = self.formulas.pop()
                {
                    look_at_formula(&formula.text)?;
                }
                Ok(())
            }
        }
    }

    fn text_of_formula(&mut self, text: &str) -> Result<(), UploadRejection> {
        let depth = self.depth;
        let innermost = self.formulas.last_mut();
        if let Some(formula) = innermost.filter(|formula| formula.depth == depth) {
            formula.text.push_str(text);
            if formula.text.len() > MAX_FORMULA {
                return Err(UploadRejection::Bomb);
            }
        }
        Ok(())
    }

    /// # Errors
    /// What the part left open runs something.
    pub(super) fn finish(&mut self) -> Result<(), UploadRejection> {
        self.fields.finish()?;
        self.formulas
            .drain(..)
            .try_for_each(|formula| look_at_formula(&formula.text))
    }

    fn start(&mut self, element: &Element) -> Result<(), UploadRejection> {
        if self.root == Root::Unseen {
            self.root = if element.name == "customUI" {
                Root::Ribbon
            } else {
                Root::Other
            };
            // Word would read it as a page, whatever its name.
            if element.name.eq_ignore_ascii_case("html") && !self.is_data {
                return Err(UploadRejection::External);
            }
        }
        if self.root == Root::Ribbon && element.attributes.iter().any(calls_back) {
            return Err(MACROS);
        }
        self.depth = self.depth.saturating_add(1);
        if is_formula(&element.name) {
            self.formulas.push(Formula {
                text: String::new(),
                depth: self.depth,
            });
        }
        self.fields.start(element)?;
        self.excel(element)?;
        common(element)?;
        powerpoint(element)?;
        if self.is_data {
            return Ok(());
        }
        open_document(element)
    }

    fn excel(&mut self, element: &Element) -> Result<(), UploadRejection> {
        match element.name.as_str() {
            "ddeLink" => Err(DDE),
            "FmlaMacro" => Err(MACROS),
            "connection" | "queryTable" if element.is_on("refreshOnLoad") => {
                Err(UploadRejection::External)
            }
            "pivotCacheDefinition" => {
                self.refreshed = element.is_on("refreshOnLoad");
                Ok(())
            }
            "cacheSource"
                if self.refreshed && element.all("type").any(|kind| kind == "external") =>
            {
                Err(UploadRejection::External)
            }
            "definedName" if element.is_on("xlm") || element.all("name").any(runs_at_start) => {
                Err(MACROS)
            }
            _ => Ok(()),
        }
    }
}

/// Names of Excel 4 macros that run when a book is opened or closed.
fn runs_at_start(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_prefix("_xlnm.").unwrap_or(&name);
    [
        "auto_open",
        "auto_close",
        "auto_activate",
        "auto_deactivate",
    ]
    .iter()
    .any(|start| name.starts_with(start))
}

fn is_formula(name: &str) -> bool {
    matches!(
        name,
        "f" | "formula" | "formula1" | "formula2" | "definedName"
    )
}

/// A button of the ribbon that calls a macro of some file: `https://host/book.xlsm!Main`.
fn calls_back((name, value): &(String, String)) -> bool {
    (name.starts_with("on") || name.starts_with("get") || name == "loadImage")
        && !value.trim().is_empty()
}

fn look_at_formula(formula: &str) -> Result<(), UploadRejection> {
    let formula = formula.trim_start();
    // Outside of texts and of names in quotes, Excel has `|` only between a program and its topic: cmd|'/c calc'!A1
    let (code, _) = without_quotes(formula);
    if code.contains('|')
        || unescaped(formula).is_some_and(|formula| without_quotes(&formula).0.contains('|'))
    {
        return Err(DDE);
    }
    functions(formula)?;
    unescaped(formula).map_or(Ok(()), |formula| functions(&formula))
}

/// The formula as Excel reads it if the name of a table's column has an apostrophe: between brackets, outside of quotes, an
/// apostrophe escapes the next character (`Prices['#of items]`) and begins no name in quotes. None if there is none.
fn unescaped(formula: &str) -> Option<String> {
    let mut code = String::with_capacity(formula.len());
    let (mut quote, mut depth, mut has_one) = (None, 0_usize, false);
    let mut letters = formula.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '\'') if depth > 0 => {
                has_one = true;
                letters.next();
                continue;
            }
            (None, '"' | '\'') => quote = Some(letter),
            (None, '[') => depth += 1,
            (None, ']') => depth = depth.saturating_sub(1),
            (Some(open), _) if open == letter => quote = None,
            (None | Some(_), _) => {}
        }
        code.push(letter);
    }
    has_one.then_some(code)
}

/// A formula without its texts and its names in quotes, and those names.
fn without_quotes(formula: &str) -> (String, Vec<String>) {
    let mut code = String::new();
    let mut names: Vec<String> = Vec::new();
    let mut quote = None;
    for letter in formula.chars() {
        match (quote, letter) {
            (None, '"' | '\'') => {
                quote = Some(letter);
                code.push(letter);
                if letter == '\'' {
                    names.push(String::new());
                }
            }
            (None, _) => code.push(letter),
            (Some(open), _) if open == letter => quote = None,
            (Some('\''), _) => names
                .last_mut()
                .into_iter()
                .for_each(|name| name.push(letter)),
            (Some(_), _) => {}
        }
    }
    (code, names)
}

/// Functions that call a program, and addresses of other computers.
fn functions(formula: &str) -> Result<(), UploadRejection> {
    if calls(formula, "DDE") {
        return Err(DDE);
    }
    let programs = ["CALL", "EXEC", "REGISTER", "REGISTER.ID", "RTD"];
    if programs.iter().any(|name| calls(formula, name)) {
        return Err(PROGRAM);
    }
    if links_to_a_program(formula)? {
        return Err(MACROS);
    }
    let (code, names) = without_quotes(formula);
    // A cell may have the address.
    let fetches = |code: &str| calls(code, "IMAGE") || calls(code, "WEBSERVICE");
    let is_elsewhere = |text: &str| Target::of(text) == Target::Network;
    if fetches(&code)
        || (formula.contains("//") && fetches(formula))
        || names.iter().any(|name| is_elsewhere(name))
        || formula.split('\'').skip(1).step_by(2).any(is_elsewhere)
    {
        return Err(UploadRejection::External);
    }
    Ok(())
}

/// How deep Excel takes calls inside each other. So a letter belongs to the arguments of at most so many calls.
const MAX_CALLS: usize = 64;

/// Whether the address of a call of `HYPERLINK` runs something.
///
/// # Errors
/// More calls are inside each other than any program takes: each is read to the end of its argument.
fn links_to_a_program(formula: &str) -> Result<bool, UploadRejection> {
    let lower = formula.to_ascii_lowercase();
    let mut left = lower.len().saturating_mul(MAX_CALLS);
    for (at, word) in lower.match_indices("hyperlink") {
        let rest = lower.get(at + word.len()..).map(str::trim_start);
        let Some(rest) = rest.and_then(|rest| rest.strip_prefix('(')) else {
            continue;
        };
        let texts = texts_of_argument(rest, &mut left)?;
        if link::runs(&texts.concat()) || texts.iter().any(|text| link::runs(text)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The texts in the first argument of a call. What comes after it is shown, and may say anything.
fn texts_of_argument(rest: &str, left: &mut usize) -> Result<Vec<String>, UploadRejection> {
    let mut texts: Vec<String> = Vec::new();
    let mut inside = false;
    let mut depth = 0_usize;
    for letter in rest.chars() {
        *left = left.checked_sub(1).ok_or(UploadRejection::Bomb)?;
        match (inside, letter) {
            (_, '"') => {
                inside = !inside;
                if inside {
                    texts.push(String::new());
                }
            }
            (true, _) => texts
                .last_mut()
                .into_iter()
                .for_each(|text| text.push(letter)),
            (false, ')' | ',' | ';') if depth == 0 => break,
            (false, '(') => depth += 1,
            (false, ')') => depth -= 1,
            (false, _) => {}
        }
    }
    Ok(texts)
}

/// Whether the formula calls a function of this name.
fn calls(formula: &str, function: &str) -> bool {
    let upper = formula.to_ascii_uppercase();
    let mut rest = upper.as_str();
    while let Some((before, after)) = rest.split_once(function) {
        let begins = !before.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        if begins && after.trim_start().starts_with('(') {
            return true;
        }
        rest = after;
    }
    false
}

/// Elements and addresses of every format.
fn common(element: &Element) -> Result<(), UploadRejection> {
    if element.name == "Relationship" {
        return relations::look(element);
    }
    // Drawings of old documents load their picture from the address itself.
    if matches!(
        element.name.as_str(),
        "imagedata" | "fill" | "stroke" | "image"
    ) {
        for source in element.all("src") {
            if Target::of(source) == Target::Network {
                return Err(UploadRejection::External);
            }
        }
    }
    for (_, value) in &element.attributes {
        if value.len() > 8 && value.contains("vnd.") && Target::of(value) == Target::Macro {
            return Err(MACROS);
        }
    }
    Ok(())
}

/// The effect of a click, or of the mouse alone, in a presentation.
fn powerpoint(element: &Element) -> Result<(), UploadRejection> {
    let by_itself = element.name == "hlinkMouseOver";
    if !by_itself && !element.name.starts_with("hlink") {
        return Ok(());
    }
    let actions = || {
        element
            .all("action")
            .map(|action| action.trim().to_ascii_lowercase())
    };
    if actions().any(|action| {
        ["ppaction://program", "ppaction://macro", "ppaction://ole"]
            .iter()
            .any(|active| action.starts_with(active))
    }) {
        return Err(PROGRAM);
    }
    let stays = actions().any(|action| {
        action.starts_with("ppaction://hlinkshowjump")
            || action.starts_with("ppaction://hlinksldjump")
            || action.starts_with("ppaction://noaction")
    });
    if by_itself && !stays && element.all("id").any(|id| !id.is_empty()) {
        return Err(UploadRejection::External);
    }
    Ok(())
}

/// Events and addresses of `OpenDocument`.
fn open_document(element: &Element) -> Result<(), UploadRejection> {
    let name = element.name.as_str();
    match name {
        "event-listener" => {
            let inert = [
                "none",
                "previous-page",
                "next-page",
                "first-page",
                "last-page",
                "hide",
                "stop",
                "show",
                "sound",
                "fade-out",
                "last-visited-page",
            ];
            let mut actions = element.all("action").peekable();
            if actions.peek().is_none() || actions.any(|action| !inert.contains(&action)) {
                return Err(MACROS);
            }
        }
        "script" if element.get("language").is_some() => return Err(MACROS),
        "execute-macro" => return Err(MACROS),
        "database-source-sql" | "database-source-query" | "database-source-table" => {
            return Err(UploadRejection::External);
        }
        "instance" | "submission"
            if ["src", "action", "resource"]
                .iter()
                .flat_map(|key| element.all(key))
                .any(|address| Target::of(address) == Target::Network) =>
        {
            return Err(UploadRejection::External);
        }
        "applet" => return Err(PROGRAM),
        "dde-link" | "dde-source" | "dde-connection-decl" | "dde-connection" => return Err(DDE),
        _ => {}
    }
    for formula in element.all("formula") {
        if formula.len() > MAX_FORMULA {
            return Err(UploadRejection::Bomb);
        }
        functions(formula)?;
    }
    addresses(element)
}

/// Where the addresses of an element of `OpenDocument` lead.
fn addresses(element: &Element) -> Result<(), UploadRejection> {
    let name = element.name.as_str();
    // The picture on a button.
    let mut pictures = element.all("image-data").map(Target::of);
    if pictures.any(|target| matches!(target, Target::Network | Target::Local)) {
        return Err(UploadRejection::External);
    }
    if element.all("href").any(link::runs) {
        return Err(MACROS);
    }
    for target in element.all("href").map(Target::of) {
        match target {
            Target::Macro => return Err(MACROS),
            Target::Network | Target::Local if !waits_for_a_click(name) => {
                let is_local = target == Target::Local;
                // LibreOffice asks before it reads a table of another file, and a local one sends nothing.
                if !(is_local && asks(name)) {
                    return Err(UploadRejection::External);
                }
            }
            Target::Inside | Target::Beside | Target::Local | Target::Network => {}
        }
    }
    Ok(())
}

/// Elements whose address is opened by a click, or is only a name.
fn waits_for_a_click(name: &str) -> bool {
    matches!(
        name,
        "a" | "A"
            | "area-circle"
            | "area-polygon"
            | "area-rectangle"
            | "bibliography-mark"
            | "button"
            | "form"
            // Shapes of Office's old drawings. Their pictures have the address elsewhere.
            | "group"
            | "line"
            | "oval"
            | "polyline"
            | "rect"
            | "roundrect"
            | "shape"
            | "hyperlink"
            | "hyperlink-behaviour"
            | "image-frame"
            | "schema"
            | "user-defined"
    )
}

fn asks(name: &str) -> bool {
    matches!(
        name,
        "table-source" | "cell-range-source" | "source-cell-range" | "template"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ASVS: V5.2.2
    #[test]
    fn an_apostrophe_in_the_name_of_a_column_hides_nothing() {
        for formula in [
            "Prices['#of]&cmd|'/c calc'!A1",
            "Prices[['#a]:['#b]]+SUM(cmd|'/c calc'!A1)",
            "T['#x]+DDE(\"cmd\",\"/c calc\",\"\")",
            "T['#x]&WEBSERVICE(\"https://a.example\")",
            "T['#x]&IMAGE(A1)",
        ] {
            assert!(look_at_formula(formula).is_err(), "{formula}");
        }
        for formula in [
            "Prices['#of items]*2",
            "Prices[It''s]",
            "Prices[['#a]:['#b]]",
            "SUM('A | B'!A1:A3)",
            "'It''s | mine'!A1",
            "T['#a]&\"a|b\"",
            "[1]Sheet1!A1",
            "'[Book | 1.xlsx]Sheet 1'!A1",
        ] {
            assert_eq!(look_at_formula(formula), Ok(()), "{formula}");
        }
    }

    /// Six thousand calls inside each other were read to the end of the formula each.
    ///
    /// ASVS: V5.2.6
    #[test]
    fn calls_inside_each_other_are_read_only_as_deep_as_excel_takes_them() {
        let deep = "hyperlink(".repeat(60) + "\"https://a.example\"" + &")".repeat(60);
        assert_eq!(look_at_formula(&deep), Ok(()));
        let deeper = "hyperlink(".repeat(MAX_FORMULA / 10);
        assert_eq!(look_at_formula(&deeper), Err(UploadRejection::Bomb));
        let side_by_side = "hyperlink(\"a\")+".repeat(MAX_FORMULA / 15);
        assert_eq!(look_at_formula(&side_by_side), Ok(()));
    }
}
