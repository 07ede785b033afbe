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
