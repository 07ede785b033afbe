/// "Did you mean …?", or the known names if none is near.
pub(super) fn suggest(wrong: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|name| (distance(wrong, name), *name))
        .min();
    match nearest {
        Some((distance, name)) if distance <= tolerance(wrong) => format!("Did you mean {name}?"),
        Some(_) | None => beside(wrong, known),
    }
}

/// The known name that is near, if one is.
pub(crate) fn near<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known = known.into_iter();
    let nearest = known.map(|name| (distance(wrong, name), name)).min();
    let (distance, name) = nearest?;
    (distance <= tolerance(wrong)).then_some(name)
}

/// A third of the last part of the name may be wrong: `idel` is near `idle`, and `color` is near nothing.
fn tolerance(wrong: &str) -> usize {
    let last = wrong.rsplit(['.', '_']).next().unwrap_or(wrong);
    (last.chars().count() / 3).clamp(1, 3) + usize::from(last.len() > 3)
}

fn beside(wrong: &str, known: &[&str]) -> String {
    let section = wrong.rsplit_once('.').map(|(section, _)| section);
    let mut siblings: Vec<&str> = known
        .iter()
        .filter(|name| section.is_some() && name.rsplit_once('.').map(|(own, _)| own) == section)
        .copied()
        .collect();
    siblings.dedup();
    match (section, siblings.is_empty()) {
        (Some(section), false) => {
            let keys: Vec<&str> = siblings
                .iter()
                .filter_map(|name| Some(name.rsplit_once('.')?.1))
                .collect();
            format!("Remove it. [{section}] has: {}.", keys.join(", "))
        }
        (_, _) => "Remove it.".to_owned(),
    }
}

/// How many letters must be added, dropped, changed or swapped with a neighbour, ignoring case.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().take(LONGEST).collect();
    let right: Vec<char> = right.to_lowercase().chars().take(LONGEST).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut previous_letter = None;
    for (row, letter) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        let mut neighbour = None;
        for (column, other) in right.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(LONGEST);
            let mut best = (at(&above, column + 1) + 1)
                .min(at(&current, column) + 1)
                .min(at(&above, column) + usize::from(letter != other));
            if column > 0 && neighbour == Some(letter) && previous_letter == Some(other) {
                best = best.min(at(&before, column - 1) + 1);
            }
            current.push(best);
            neighbour = Some(other);
        }
        before = above;
        above = current;
        previous_letter = Some(letter);
    }
    above.last().copied().unwrap_or(LONGEST)
}

/// Longer names are compared by their beginnings; the table is this squared.
const LONGEST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_counts_once() {
        assert_eq!(distance("idel", "idle"), 1);
        assert_eq!(distance("IDLE", "idle"), 0);
        assert_eq!(distance("", "idle"), 4);
        assert_eq!(distance("kitten", "sitting"), 3);
        // A neighbour is the letter before; the first letter has none.
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("abc", "cab"), 2);
        assert_eq!(distance("aa", "a"), 1);
        assert_eq!(distance("xab", "ba"), 2);
    }

    #[test]
    fn the_nearest_name_is_named_where_one_is_near() {
        let known = ["users", "keys", "https"];
        assert_eq!(near("user", known), Some("users"));
        assert_eq!(near("kyes", known), Some("keys"));
        assert_eq!(near("passwords", known), None);
        // Of three letters one may be wrong, of four two.
        assert_eq!(near("tls", ["tab"]), None);
        assert_eq!(near("tls", ["tlt"]), Some("tlt"));
        assert_eq!(near("name", ["nice"]), Some("nice"));
        assert_eq!(near("users", []), None);
    }

    #[test]
    fn a_far_name_gets_the_names_beside_it() {
        let known = ["sessions.absolute", "sessions.idle", "https.hsts"];
        assert_eq!(
            suggest("sessions.idel", &known),
            "Did you mean sessions.idle?"
        );
        assert_eq!(
            suggest("session.idle", &known),
            "Did you mean sessions.idle?"
        );
        assert_eq!(
            suggest("sessions.colour", &known),
            "Remove it. [sessions] has: absolute, idle."
        );
        assert_eq!(suggest("colour", &known), "Remove it.");
    }
}
