use super::{Escape, TemplateRejection};

/// The content of a `<script>`, by its `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScriptType {
    /// JavaScript: no `type`, `module`, or a JavaScript type.
    Code,
    /// A data block of JSON.
    Data,
    /// Anything else: an import map, speculation rules, a template of a library.
    Other,
}

impl ScriptType {
    pub(super) fn of(kind: &str) -> Self {
        let kind = kind.trim().to_ascii_lowercase();
        let essence = kind.split(';').next().unwrap_or_default().trim_end();
        match essence {
            "" | "module" | "text/javascript" | "application/javascript" => Self::Code,
            "application/json" | "application/ld+json" => Self::Data,
            _ => Self::Other,
        }
    }
}

/// The state at a position in a script. A value is allowed only where an expression begins, while this parser is sure of
/// it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) language: ScriptType,
    /// Whether the tag has a nonce; without one the policy does not let code run.
    pub(super) nonce: bool,
    within: ScriptState,
    /// The last significant character; `None` if two branches differ.
    before: Option<char>,
    /// The last character, if it may begin a pair.
    pending: Option<char>,
    /// Set after a `/` that begins no comment: it may be a division or a regular expression, so the rest cannot be
    /// checked.
    lost: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScriptState {
    Code,
    Text { quote: char, escaped: bool },
    Line,
    Block { star: bool },
}

/// Stands for the beginning of a script.
const BEGINNING: char = '\u{2}';
/// Stands for a whole value, text or comment.
const SOMETHING: char = '\u{3}';

impl Script {
    pub(super) fn new(language: ScriptType, nonce: bool) -> Self {
        Self {
            language,
            nonce,
            within: ScriptState::Code,
            before: Some(BEGINNING),
            pending: None,
            lost: false,
        }
    }

    pub(super) fn step(&mut self, c: char) {
        match self.within {
            ScriptState::Code => self.code(c),
            ScriptState::Line if c == '\n' || c == '\r' => self.within = ScriptState::Code,
            ScriptState::Line => {}
            ScriptState::Block { star: true } if c == '/' => self.within = ScriptState::Code,
            ScriptState::Block { .. } => self.within = ScriptState::Block { star: c == '*' },
            ScriptState::Text { quote, escaped } => self.text(quote, escaped, c),
        }
    }

    fn text(&mut self, quote: char, escaped: bool, c: char) {
        if escaped {
            let escaped = false;
            self.within = ScriptState::Text { quote, escaped };
        } else if c == quote {
            self.within = ScriptState::Code;
            self.before = Some(SOMETHING);
        } else if c == '\\' {
            let escaped = true;
            self.within = ScriptState::Text { quote, escaped };
        } else if c == '\n' && quote != '`' || c == '$' && quote == '`' {
            // A text without an end, or code in a template literal.
            self.lost = true;
        }
    }

    fn code(&mut self, c: char) {
        let pending = self.pending.take();
        match (pending, c) {
            (Some('/'), '/') if self.language == ScriptType::Code => {
                self.within = ScriptState::Line
            }
            (Some('/'), '*') if self.language == ScriptType::Code => {
                self.within = ScriptState::Block { star: false };
            }
            (Some('/'), _) => {
                self.lost = true;
                self.plain(c);
            }
            // HTML and SVG read `<!--`, `</` and `<b` differently.
            (Some('<'), '!' | '/' | '?') => self.lost = true,
            (Some('<'), c) if c.is_ascii_alphabetic() => {
                self.lost = true;
                self.plain(c);
            }
            (_, c) => self.plain(c),
        }
    }

    fn plain(&mut self, c: char) {
        match c {
            '"' | '\'' | '`' => {
                let escaped = false;
                self.within = ScriptState::Text { quote: c, escaped };
            }
            '/' => self.pending = Some(c),
            '<' => {
                self.pending = Some(c);
                self.before = Some(c);
            }
            c if c.is_whitespace() => {}
            c => self.before = Some(c),
        }
    }

    pub(super) fn value(&mut self) -> Result<Escape, TemplateRejection> {
        let begins_expression = match self.before {
            Some('=' | '(' | '[' | ',' | ':') => true,
            Some(BEGINNING) => self.language == ScriptType::Data,
            _ => false,
        };
        if self.language == ScriptType::Other {
            return Err(TemplateRejection::ScriptLanguage);
        }
        if matches!(self.within, ScriptState::Text { .. }) && !self.lost {
            return Err(TemplateRejection::ScriptText);
        }
        if self.lost
            || self.within != ScriptState::Code
            || self.pending.is_some()
            || !begins_expression
        {
            return Err(TemplateRejection::ScriptPlace);
        }
        if self.language == ScriptType::Code && !self.nonce {
            return Err(TemplateRejection::ScriptNonce);
        }
        self.before = Some(SOMETHING);
        Ok(Escape::Json)
    }

    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        let alike = self.language == other.language
            && self.nonce == other.nonce
            && self.within == other.within
            && self.pending == other.pending;
        alike.then(|| Self {
            before: self.before.filter(|_| self.before == other.before),
            lost: self.lost || other.lost,
            ..self.clone()
        })
    }

    /// The widest assumption, for the position after a block that another template may fill.
    pub(super) fn widest(&self) -> Self {
        Self {
            before: None,
            lost: true,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(language: ScriptType, text: &str) -> Script {
        let mut script = Script::new(language, true);
        text.chars().for_each(|c| script.step(c));
        script
    }

    #[test]
    fn a_script_is_what_its_type_says() {
        for (kind, language) in [
            ("", ScriptType::Code),
            ("module", ScriptType::Code),
            (" Text/JavaScript ; charset=utf-8", ScriptType::Code),
            ("application/javascript", ScriptType::Code),
            ("application/json", ScriptType::Data),
            ("application/ld+json", ScriptType::Data),
            ("importmap", ScriptType::Other),
            ("text/html", ScriptType::Other),
        ] {
            assert_eq!(ScriptType::of(kind), language, "{kind}");
        }
    }

    /// A value is allowed where an expression begins and nowhere else.
    #[test]
    fn a_value_stands_where_an_expression_begins() {
        const PLACE: Result<Escape, TemplateRejection> = Err(TemplateRejection::ScriptPlace);
        const TEXT: Result<Escape, TemplateRejection> = Err(TemplateRejection::ScriptText);
        for (text, expected) in [
            ("a =", Ok(Escape::Json)),
            ("a(", Ok(Escape::Json)),
            ("a[ ", Ok(Escape::Json)),
            ("a(b, ", Ok(Escape::Json)),
            ("{a: ", Ok(Escape::Json)),
            ("", PLACE),
            ("a", PLACE),
            ("a = b", PLACE),
            ("a = /", PLACE),
            ("a = // b", PLACE),
            ("a = // b\n", Ok(Escape::Json)),
            ("a = // b\r", Ok(Escape::Json)),
            ("a = /* b", PLACE),
            ("a = /* * / =", PLACE),
            ("a = /* b **/", Ok(Escape::Json)),
            ("a = / b =", PLACE),
            ("a = '", TEXT),
            ("a = \"=", TEXT),
            ("a = `", TEXT),
            ("a = 'b\\'=", TEXT),
            ("a = '=' ", PLACE),
            ("a = '\\\\', ", Ok(Escape::Json)),
            ("a = 'b\n =", PLACE),
            ("a = `b\n =", TEXT),
            ("a = `$ =", PLACE),
            ("a = '$', ", Ok(Escape::Json)),
            ("a <!= ", PLACE),
            ("a <b, ", PLACE),
            ("a </, ", PLACE),
            ("a <?, ", PLACE),
            ("a < 1, ", Ok(Escape::Json)),
        ] {
            assert_eq!(after(ScriptType::Code, text).value(), expected, "{text:?}");
        }
        for (text, expected) in [
            ("", Ok(Escape::Json)),
            ("{\"a\": ", Ok(Escape::Json)),
            ("[1", PLACE),
            ("{\"a", TEXT),
            ("[ // a\n", PLACE),
        ] {
            assert_eq!(after(ScriptType::Data, text).value(), expected, "{text:?}");
        }
        let other = after(ScriptType::Other, "=").value();
        assert_eq!(other, Err(TemplateRejection::ScriptLanguage));
        let mut bare = Script::new(ScriptType::Code, false);
        bare.step('=');
        assert_eq!(bare.value(), Err(TemplateRejection::ScriptNonce));
        let mut twice = after(ScriptType::Code, "a =");
        twice.value().unwrap();
        assert_eq!(twice.value(), PLACE, "a value is a whole expression");
    }

    #[test]
    fn two_branches_meet_where_they_agree() {
        let code = |text| after(ScriptType::Code, text);
        let equal = code("a =");
        assert_eq!(equal.join(&equal), Some(equal.clone()));
        let other = Script {
            nonce: false,
            ..equal.clone()
        };
        assert_eq!(equal.join(&other), None);
        let other = Script {
            language: ScriptType::Data,
            ..equal.clone()
        };
        assert_eq!(equal.join(&other), None);
        assert_eq!(equal.join(&code("a = '")), None);
        assert_eq!(code("a = '").join(&code("a = \"")), None);
        assert_eq!(equal.join(&code("a = /")), None);
        let mut unsure = equal.join(&code("a")).unwrap();
        assert_eq!(unsure.value(), Err(TemplateRejection::ScriptPlace));
        for (one, two) in [("a = / =", "a ="), ("a =", "a = / =")] {
            let (one, two) = (code(one), code(two));
            let (one, two) = (
                Script {
                    within: ScriptState::Code,
                    ..one
                },
                two,
            );
            assert!(one.join(&two).unwrap().lost);
        }
        let mut widest = equal.widest();
        assert_eq!(widest.value(), Err(TemplateRejection::ScriptPlace));
    }
}
