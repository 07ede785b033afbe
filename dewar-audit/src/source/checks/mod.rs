//! The checks of source code, as data: each is a constant that the analysis names, and an entry in the list of all.

mod absent;
mod injection;
mod settings;

use crate::scan::ScanCheck;

pub(crate) use absent::*;
pub(crate) use injection::*;
pub(crate) use settings::*;

/// Writes constants and their list from one table.
macro_rules! checks {
    ($list:ident; $($name:ident: $id:literal, $practice:ident, $severity:ident, $cwe:literal, $asvs:expr, $what:literal, $why:literal, $fix:literal;)*) => {
        $(pub(crate) static $name: crate::scan::ScanCheck = crate::scan::ScanCheck::new(
            $id,
            dewar::audit::Practice::$practice,
            dewar::audit::Severity::$severity,
            $cwe,
            &$asvs,
        )
        .texts($what, $why, $fix);)*
        pub(in crate::source::checks) static $list: &[&crate::scan::ScanCheck] = &[$(&$name),*];
    };
}
use checks;

/// Every check, in the order of the practices.
pub(crate) fn all() -> impl Iterator<Item = &'static ScanCheck> {
    let mut all: Vec<&'static ScanCheck> = [INJECTION, SETTINGS, ABSENT]
        .into_iter()
        .flatten()
        .copied()
        .collect();
    all.sort_by_key(|check| (check.practice, check.id));
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_an_id_of_its_own_and_all_texts() {
        let ids: Vec<&str> = all().map(|check| check.id).collect();
        for check in all() {
            assert!(check.id.starts_with("source-"), "{}", check.id);
            assert_eq!(
                ids.iter().filter(|id| **id == check.id).count(),
                1,
                "{}",
                check.id
            );
            let texts = [check.what, check.why, check.fix];
            assert!(texts.iter().all(|text| !text.is_empty()), "{}", check.id);
            assert!(
                !check.asvs.is_empty() && !check.fix.ends_with(' '),
                "{}",
                check.id
            );
        }
    }
}
