//! Sizes in bytes: their units, and their text for people.

pub(crate) const KIB: u64 = 1024;
pub(crate) const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

/// The units of settings and pages, from the smallest.
pub(crate) const UNITS: [(&str, u64); 4] = [("B", 1), ("KiB", KIB), ("MiB", MIB), ("GiB", GIB)];

/// A limit for people: `2 MiB`, `512 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    let (number, unit) = whole_units(bytes);
    format!("{number} {unit}")
}

/// A limit as a whole number of a unit. It is never more than the bytes.
pub(crate) const fn whole_units(bytes: u64) -> (u64, &'static str) {
    match bytes {
        b if b >= MIB && (b.is_multiple_of(MIB) || b >= 10 * MIB) => (b / MIB, "MiB"),
        b if b >= KIB => (b / KIB, "KiB"),
        b => (b, "bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_written_as_people_read_it_and_never_larger_than_it_is() {
        for (bytes, written) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (KIB, "1 KiB"),
            (KIB + 1, "1 KiB"),
            (MIB - 1, "1023 KiB"),
            (MIB, "1 MiB"),
            (MIB + 1, "1024 KiB"),
            (2 * MIB, "2 MiB"),
            (10 * MIB - 1, "10239 KiB"),
            (10 * MIB + 1, "10 MiB"),
            (11 * MIB - 1, "10 MiB"),
        ] {
            assert_eq!(size(bytes), written, "{bytes}");
        }
    }
}
