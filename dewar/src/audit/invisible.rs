//! The one list of invisible characters, for logs, terminals and forms.

/// `Default_Ignorable_Code_Point` of Unicode 16, in order (`DerivedCoreProperties.txt`).
const IGNORABLE: &[(u32, u32)] = &[
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x202a, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfff8),
    (0x1bca0, 0x1bca3),
    (0x1d173, 0x1d17a),
    (0xe0000, 0xe0fff),
];

/// Characters that appear as nothing or as a space, though Unicode does not list them: a blank Braille cell, interlinear marks, a
/// musical null head, and marks that only arrange hieroglyphs.
const BLANK: &[(u32, u32)] = &[
    (0x2800, 0x2800),
    (0xfff9, 0xfffb),
    (0x13430, 0x1343f),
    (0x1d159, 0x1d159),
];

/// Whether the character shows nothing.
pub(crate) fn is_invisible(c: char) -> bool {
    within(IGNORABLE, c) || within(BLANK, c)
}

fn within(ranges: &[(u32, u32)], c: char) -> bool {
    let c = u32::from(c);
    let after = ranges.partition_point(|(first, _)| *first <= c);
    after
        .checked_sub(1)
        .and_then(|place| ranges.get(place))
        .is_some_and(|(_, last)| c <= *last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_in_order() {
        for table in [IGNORABLE, BLANK] {
            assert!(table.iter().all(|(first, last)| first <= last));
            assert!(table.is_sorted_by(|a, b| a.1 < b.0));
        }
        assert_eq!(IGNORABLE.iter().map(|(a, b)| b - a + 1).sum::<u32>(), 4_174);
    }
}
