const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Bytes for people: `2 MiB`, `512 KiB`.
pub(crate) fn size(bytes: u64) -> String {
    match bytes {
        b if b >= MIB && b.is_multiple_of(MIB) => format!("{} MiB", b / MIB),
        b if b >= 10 * MIB => format!("{} MiB", b / MIB),
        b if b >= KIB => format!("{} KiB", b / KIB),
        b => format!("{b} bytes"),
    }
}
