use super::{Escape, Refusal};

/// What a `<script>` holds, by its `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// JavaScript: no `type`, `module`, or a JavaScript type.
    Code,
    /// A data block of JSON.
    Data,
    /// Anything else: an import map, speculation rules, a template of a library.
    Other,
}

impl Language {
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

/// Where in a script a place is. A value stands only where an expression begins, and only while this reader is sure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) language: Language,
    /// Whether the tag names a nonce, without which the policy keeps code from running.
    pub(super) nonce: bool,
    within: Within,
    /// The last character that counts; none where two branches differ.
    before: Option<char>,
    /// The last character, where it may begin something of two.
    pending: Option<char>,
    /// A `/` that is no comment may be a division or begin a regular expression: what follows cannot be judged.
    lost: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Within {
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
    pub(super) fn new(language: Language, nonce: bool) -> Self {
        Self {
            language,
            nonce,
            within: Within::Code,
            before: Some(BEGINNING),
            pending: None,
            lost: false,
        }
    }

    pub(super) fn step(&mut self, c: char) {
        match self.within {
            Within::Code => self.code(c),
            Within::Line if c == '\n' || c == '\r' => self.within = Within::Code,
            Within::Line => {}
            Within::Block { star: true } if c == '/' => self.within = Within::Code,
            Within::Block { .. } => self.within = Within::Block { star: c == '*' },
            Within::Text { quote, escaped } => self.text(quote, escaped, c),
        }
    }

    fn text(&mut self, quote: char, escaped: bool, c: char) {
        if escaped {
            let escaped = false;
            self.within = Within::Text { quote, escaped };
        } else if c == quote {
            self.within = Within::Code;
            self.before = Some(SOMETHING);
        } else if c == '\\' {
            let escaped = true;
            self.within = Within::Text { quote, escaped };
        } else if c == '\n' && quote != '`' || c == '$' && quote == '`' {
            // A text that does not end, or code within a template literal.
            self.lost = true;
        }
    }

    fn code(&mut self, c: char) {
        let pending = self.pending.take();
        match (pending, c) {
            (Some('/'), '/') if self.language == Language::Code => self.within = Within::Line,
            (Some('/'), '*') if self.language == Language::Code => {
                self.within = Within::Block { star: false };
            }
            (Some('/'), _) => {
                self.lost = true;
                self.plain(c);
            }
            // `<!--`, `</` and `<b` are read differently by HTML and in SVG.
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
                self.within = Within::Text { quote: c, escaped };
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

    pub(super) fn value(&mut self) -> Result<Escape, Refusal> {
        let begins_expression = match self.before {
            Some('=' | '(' | '[' | ',' | ':') => true,
            Some(BEGINNING) => self.language == Language::Data,
            _ => false,
        };
        if self.language == Language::Other {
            return Err(Refusal::ScriptLanguage);
        }
        if matches!(self.within, Within::Text { .. }) && !self.lost {
            return Err(Refusal::ScriptText);
        }
        if self.lost || self.within != Within::Code || self.pending.is_some() || !begins_expression
        {
            return Err(Refusal::ScriptPlace);
        }
        if self.language == Language::Code && !self.nonce {
            return Err(Refusal::ScriptNonce);
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

    /// As little as one can know behind something that another template may write.
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

    fn after(language: Language, text: &str) -> Script {
        let mut script = Script::new(language, true);
        text.chars().for_each(|c| script.step(c));
        script
    }

    #[test]
    fn a_script_is_what_its_type_says() {
        for (kind, language) in [
            ("", Language::Code),
            ("module", Language::Code),
            (" Text/JavaScript ; charset=utf-8", Language::Code),
            ("application/javascript", Language::Code),
            ("application/json", Language::Data),
            ("application/ld+json", Language::Data),
            ("importmap", Language::Other),
            ("text/html", Language::Other),
        ] {
            assert_eq!(Language::of(kind), language, "{kind}");
        }
    }

    /// A value stands where an expression begins and nowhere else.
    #[test]
    fn a_value_stands_where_an_expression_begins() {
        const PLACE: Result<Escape, Refusal> = Err(Refusal::ScriptPlace);
        const TEXT: Result<Escape, Refusal> = Err(Refusal::ScriptText);
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
            assert_eq!(after(Language::Code, text).value(), expected, "{text:?}");
        }
        for (text, expected) in [
            ("", Ok(Escape::Json)),
            ("{\"a\": ", Ok(Escape::Json)),
            ("[1", PLACE),
            ("{\"a", TEXT),
            ("[ // a\n", PLACE),
        ] {
            assert_eq!(after(Language::Data, text).value(), expected, "{text:?}");
        }
        let other = after(Language::Other, "=").value();
        assert_eq!(other, Err(Refusal::ScriptLanguage));
        let mut bare = Script::new(Language::Code, false);
        bare.step('=');
        assert_eq!(bare.value(), Err(Refusal::ScriptNonce));
        let mut twice = after(Language::Code, "a =");
        twice.value().unwrap();
        assert_eq!(twice.value(), PLACE, "a value is a whole expression");
    }

    #[test]
    fn two_branches_meet_where_they_agree() {
        let code = |text| after(Language::Code, text);
        let equal = code("a =");
        assert_eq!(equal.join(&equal), Some(equal.clone()));
        let other = Script {
            nonce: false,
            ..equal.clone()
        };
        assert_eq!(equal.join(&other), None);
        let other = Script {
            language: Language::Data,
            ..equal.clone()
        };
        assert_eq!(equal.join(&other), None);
        assert_eq!(equal.join(&code("a = '")), None);
        assert_eq!(code("a = '").join(&code("a = \"")), None);
        assert_eq!(equal.join(&code("a = /")), None);
        let mut unsure = equal.join(&code("a")).unwrap();
        assert_eq!(unsure.value(), Err(Refusal::ScriptPlace));
        for (one, two) in [("a = / =", "a ="), ("a =", "a = / =")] {
            let (one, two) = (code(one), code(two));
            let (one, two) = (
                Script {
                    within: Within::Code,
                    ..one
                },
                two,
            );
            assert!(one.join(&two).unwrap().lost);
        }
        let mut widest = equal.widest();
        assert_eq!(widest.value(), Err(Refusal::ScriptPlace));
    }
}
