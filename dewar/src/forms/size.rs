const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// A number of bytes for people: `2 MiB`, `512 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        b if b >= MIB && b.is_multiple_of(MIB) => format!("{} MiB", b / MIB),
        b if b >= 10 * MIB => format!("{} MiB", b / MIB),
        b if b >= KIB => format!("{} KiB", b / KIB),
        b => format!("{b} bytes"),
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
