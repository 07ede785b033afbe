//! A browser's name for itself, in two words that its owner knows. The browser claims it; it proves nothing.

/// The first match counts, because each browser also uses the names of those that came before it.
const BROWSERS: [(&str, &str); 6] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

pub(super) fn browser(agent: &str) -> Option<&'static str> {
    named(agent, &BROWSERS)
}

pub(super) fn system(agent: &str) -> Option<&'static str> {
    named(agent, &SYSTEMS)
}

fn named(agent: &str, known: &[(&str, &'static str)]) -> Option<&'static str> {
    let found = known.iter().find(|(mark, _)| agent.contains(mark));
    found.map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_known_by_its_own_name_and_not_by_those_before_it() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
            Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0";
        assert_eq!(
            (browser(edge), system(edge)),
            (Some("Edge"), Some("Windows"))
        );
        let phone = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile \
            Safari/537.36";
        assert_eq!(
            (browser(phone), system(phone)),
            (Some("Chrome"), Some("Android"))
        );
        assert_eq!((browser("curl/8.5"), system("")), (None, None));
    }
}
