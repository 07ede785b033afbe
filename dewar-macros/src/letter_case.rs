//! The cases of serde's `rename_all`.

/// How serde spells the names of fields and variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LetterCase {
    Camel,
    Kebab,
    Lower,
    Pascal,
    ScreamingKebab,
    ScreamingSnake,
    Snake,
    Upper,
}

impl LetterCase {
    /// The case of this name, as serde writes it.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "camelCase" => Self::Camel,
            "kebab-case" => Self::Kebab,
            "lowercase" => Self::Lower,
            "PascalCase" => Self::Pascal,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            "SCREAMING_SNAKE_CASE" => Self::ScreamingSnake,
            "snake_case" => Self::Snake,
            "UPPERCASE" => Self::Upper,
            _ => return None,
        })
    }

    /// A field's name, which the program writes in `snake_case`.
    pub(crate) fn of_field(self, name: &str) -> String {
        match self {
            Self::Lower | Self::Snake => name.to_owned(),
            Self::Upper | Self::ScreamingSnake => name.to_ascii_uppercase(),
            Self::Kebab => name.replace('_', "-"),
            Self::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
            Self::Pascal => pascal(name),
            Self::Camel => lower_first(&pascal(name)),
        }
    }

    /// A variant's name, which the program writes in `PascalCase`.
    pub(crate) fn of_variant(self, name: &str) -> String {
        match self {
            Self::Pascal => name.to_owned(),
            Self::Lower => name.to_ascii_lowercase(),
            Self::Upper => name.to_ascii_uppercase(),
            Self::Camel => lower_first(name),
            Self::Snake => snake(name),
            Self::ScreamingSnake => snake(name).to_ascii_uppercase(),
            Self::Kebab => snake(name).replace('_', "-"),
            Self::ScreamingKebab => snake(name).to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn pascal(name: &str) -> String {
    let mut all = String::new();
    let mut rises = true;
    for letter in name.chars() {
        if letter == '_' {
            rises = true;
        } else if rises {
            all.push(letter.to_ascii_uppercase());
            rises = false;
        } else {
            all.push(letter);
        }
    }
    all
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        std::iter::once(first.to_ascii_lowercase())
            .chain(letters)
            .collect()
    })
}

/// As serde does it: an underscore before each capital letter.
fn snake(name: &str) -> String {
    let mut all = String::new();
    for (place, letter) in name.char_indices() {
        if place > 0 && letter.is_uppercase() {
            all.push('_');
        }
        all.push(letter.to_ascii_lowercase());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_as_serde_spells_them() {
        for (case, field, variant) in [
            ("camelCase", "closedAt", "inProgress"),
            ("kebab-case", "closed-at", "in-progress"),
            ("lowercase", "closed_at", "inprogress"),
            ("PascalCase", "ClosedAt", "InProgress"),
            ("SCREAMING-KEBAB-CASE", "CLOSED-AT", "IN-PROGRESS"),
            ("SCREAMING_SNAKE_CASE", "CLOSED_AT", "IN_PROGRESS"),
            ("snake_case", "closed_at", "in_progress"),
            ("UPPERCASE", "CLOSED_AT", "INPROGRESS"),
        ] {
            let case = LetterCase::of(case).unwrap();
            assert_eq!(case.of_field("closed_at"), field);
            assert_eq!(case.of_variant("InProgress"), variant);
        }
        assert!(LetterCase::of("Train-Case").is_none());
    }
}
