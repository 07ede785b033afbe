//! Converts names in a program to names in requests and to labels.

/// `HeadOfOffice` and `head_of_office` as `[head, of, office]`; `HTMLPage` as `[html, page]`.
fn parts(name: &str) -> Vec<String> {
    let name = name.strip_prefix("r#").unwrap_or(name);
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut fresh = true;
    for (place, &letter) in letters.iter().enumerate() {
        if letter == '_' {
            fresh = true;
            continue;
        }
        let before = place.checked_sub(1).and_then(|place| letters.get(place));
        let after = letters.get(place + 1);
        let rises = letter.is_uppercase()
            && (before.is_some_and(|c| c.is_lowercase() || c.is_numeric())
                || (before.is_some_and(|c| c.is_uppercase())
                    && after.is_some_and(|c| c.is_lowercase())));
        match words.last_mut() {
            Some(word) if !fresh && !rises => word.extend(letter.to_lowercase()),
            _ => words.push(letter.to_lowercase().collect()),
        }
        fresh = false;
    }
    words
}

pub(crate) fn snake(name: &str) -> String {
    parts(name).join("_")
}

pub(crate) fn kebab(name: &str) -> String {
    parts(name).join("-")
}

/// `Head of office`.
pub(crate) fn sentence(name: &str) -> String {
    let words = parts(name).join(" ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_apart_where_people_see_words() {
        for (name, snaked, read) in [
            ("HeadOfOffice", "head_of_office", "Head of office"),
            ("new_password", "new_password", "New password"),
            ("HTMLPage", "html_page", "Html page"),
            ("r#type", "type", "Type"),
            ("Tier2Support", "tier2_support", "Tier2 support"),
            ("A", "a", "A"),
        ] {
            assert_eq!(
                (snake(name).as_str(), sentence(name).as_str()),
                (snaked, read)
            );
        }
    }
}
