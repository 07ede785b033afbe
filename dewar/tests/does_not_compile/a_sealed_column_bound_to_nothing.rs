// An envelope that is bound to no row could be copied to another.
use dewar::database::SealedColumn;

const TELEPHONE: SealedColumn = SealedColumn::new("profiles", "telephone");

fn main() {}
