//! Reserved words: a name with one claims that its owner looks after the site (impersonation, CWE-290).
//!
//! The words are in English and German, the languages of the framework's own pages.
use std::sync::LazyLock;

use unicode_normalization::char::is_combining_mark;

use crate::forms::{appearances, is_letter};

/// The claim of a word. The order counts: of several words, the strongest claim holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum NameClaim {
    /// No claim by itself, such as “Team” and “official” in “Support Team” and “official support”.
    Nothing,
    /// Works for the site, if the name has only such words: “Owner” and “Root” are surnames too.
    Alone,
    /// Is in charge, whatever the other words are: nobody has such a name.
    Always,
}

/// Words that are no person's name. Dewar refuses every name with such a word.
#[rustfmt::skip]
const ALWAYS: &[&str] = &[
    "admin", "admins", "administration", "administrations", "administrator", "administratoren", "administratorin", "administratorinnen",
    "administrators", "helpdesk", "hostmaster", "moderation", "moderations", "moderator", "moderatoren", "moderatorin",
    "moderatorinnen", "moderators", "postmaster", "superuser", "sysadmin", "sysadmins", "sysop", "sysops",
    "systemverwalter", "systemverwalterin", "systemverwaltung", "verwaltung", "verwaltungs", "webmaster", "webmasterin",
];

/// Dewar refuses a name that consists only of such words, of [`BESIDE`] and of numbers.
#[rustfmt::skip]
const ALONE: &[&str] = &[
    "abuse", "besitzer", "besitzerin", "betreiber", "betreiberin", "betreuer", "betreuerin", "betreuung",
    "compliance", "contact", "datenschutz", "direktion", "eigentümer", "eigentuemer", "eigentümerin", "eigentuemerin",
    "feedback", "geschäftsführer", "geschaeftsfuehrer", "geschäftsführerin", "geschaeftsfuehrerin", "geschäftsführung",
    "geschaeftsfuehrung", "geschäftsleitung", "geschaeftsleitung", "help", "helpline", "hilfe",
    "inhaber", "inhaberin", "kontakt", "kundendienst", "kundenservice", "leitung", "maintainer", "maintainers",
    "management", "manager", "managerin", "mitarbeiter", "mitarbeiterin", "mod", "mods", "operator", "operators",
    "ops", "owner", "owners", "privacy", "redaktion", "redaktions", "root", "security", "service", "sicherheit", "sicherheits", "staff", "support",
    "supports",
    "system", "systems", "team", "verwalter", "verwalterin", "vorstand",
];

/// Words that accompany the others, and claim nothing by themselves.
#[rustfmt::skip]
const BESIDE: &[&str] = &[
    "abteilung", "abteilungs", "account", "accounts", "agent", "and", "benutzer", "bereich", "center", "centre", "chef", "chief", "community",
    "customer", "customers", "das", "datenbank", "dein", "department", "der", "desk", "die", "dienst", "echt", "echte", "echter", "echtes",
    "email", "euer", "eure", "forum", "für", "fuer", "group", "gruppe", "haupt", "head", "ihr", "ihre", "im", "it", "konto", "kunde",
    "kunden", "lead", "level", "live", "main", "member", "members", "mitglieder", "my", "netzwerk", "nutzer", "of", "office", "officer", "official", "offiziell",
    "offizielle", "offizieller", "offizielles", "our", "page", "plattform", "platform", "portal", "real", "seite", "seiten",
    "senior", "server", "site", "super", "tech", "technical", "technik", "technische", "technischer", "the", "und",
    "unser", "unsere", "user", "users", "verified", "verifiziert", "verifizierter", "web", "website", "your",
    "zentrale", "zentrum",
];

/// A word of fewer letters counts as a part of a compound only with a word that is no person's name: `WebAdmin` claims something,
/// and “Modder” is a name, and not “mod” with “der”.
const FEWEST_IN_A_COMPOUND: usize = 4;

/// The words that a compound may consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Parts {
    All,
    Long,
}

/// A word by its look.
#[derive(Debug)]
struct ReservedWord {
    looks: Vec<String>,
    claim: NameClaim,
    is_long: bool,
}

impl ReservedWord {
    fn new(word: &str, claim: NameClaim) -> Self {
        Self {
            looks: looks(word),
            claim,
            is_long: word.chars().filter(|c| is_letter(*c)).count() >= FEWEST_IN_A_COMPOUND,
        }
    }
}

static WORDS: LazyLock<Vec<ReservedWord>> = LazyLock::new(|| {
    let kinds = [
        (ALWAYS, NameClaim::Always),
        (ALONE, NameClaim::Alone),
        (BESIDE, NameClaim::Nothing),
    ];
    let words = kinds
        .into_iter()
        .flat_map(|(words, claim)| words.iter().map(move |word| ReservedWord::new(word, claim)));
    words.collect()
});

/// The words above, and the application's name and roles.
#[derive(Debug)]
pub(super) struct ReservedNames {
    own: Vec<ReservedWord>,
}

impl ReservedNames {
    /// `own` are the site's name and the names of roles.
    pub(super) fn new<'a>(own: impl IntoIterator<Item = &'a str>) -> Self {
        let own = own
            .into_iter()
            .map(|word| ReservedWord::new(word, NameClaim::Alone));
        Self { own: own.collect() }
    }

    /// Whether a name claims that its owner looks after the site. It compares letters by their look, and ignores accents, spaces,
    /// hyphens and the numbers at either end.
    pub(super) fn has(&self, name: &str) -> bool {
        let words: Vec<_> = words_of(name).collect();
        let claims: Vec<_> = words.iter().map(|word| self.claim(word)).collect();
        let apart = claims.iter().copied().min().flatten();
        let strongest = claims.into_iter().flatten().max();
        // Letters are joined to a word only if each stands alone: “Mo D.” is a name.
        let lengths: Vec<_> = words.iter().map(|word| word.chars().count()).collect();
        let is_spelled = lengths.iter().all(|length| *length == 1);
        let letters: usize = lengths.iter().sum();
        let is_read_together = is_spelled || letters > FEWEST_IN_A_COMPOUND;
        let whole = self.claim(name).filter(|_| is_read_together);
        strongest == Some(NameClaim::Always)
            || whole >= Some(NameClaim::Alone)
            || (apart.is_some() && strongest >= Some(NameClaim::Alone))
    }

    /// The claim of a reserved word, or of a compound of several; none for any other word.
    fn claim(&self, word: &str) -> Option<NameClaim> {
        let core = word.trim_matches(|c: char| c.is_numeric() || !is_letter(c));
        if core.is_empty() {
            return Some(NameClaim::Nothing);
        }
        let both = [core, word].into_iter().flat_map(looks);
        let claims = both.flat_map(|look| {
            let of_all = self.compound(&look, Parts::All);
            let of_all = of_all.filter(|claim| *claim == NameClaim::Always);
            [of_all, self.compound(&look, Parts::Long)]
        });
        claims.flatten().max()
    }

    fn compound(&self, look: &str, parts: Parts) -> Option<NameClaim> {
        let mut claims = vec![None; look.len() + 1];
        if let Some(start) = claims.first_mut() {
            *start = Some(NameClaim::Nothing);
        }
        for at in 0..look.len() {
            let Some(before) = claims.get(at).copied().flatten() else {
                continue;
            };
            let rest = look.as_bytes().get(at..).unwrap_or_default();
            for (part, entry) in self.parts() {
                let fits = parts == Parts::All || entry.is_long || part.len() == look.len();
                let end = claims.get_mut(at + part.len());
                if let Some(end) = end.filter(|_| fits && rest.starts_with(part.as_bytes())) {
                    *end = (*end).max(Some(before.max(entry.claim)));
                }
            }
        }
        claims.pop().flatten()
    }

    fn parts(&self) -> impl Iterator<Item = (&str, &ReservedWord)> {
        let entries = WORDS.iter().chain(&self.own);
        entries.flat_map(|entry| entry.looks.iter().map(move |look| (look.as_str(), entry)))
    }
}

/// The words of a name, without the characters between them.
fn words_of(name: &str) -> impl Iterator<Item = &str> {
    let words = name.split(|c: char| !is_letter(c));
    words.filter(|word| !word.is_empty())
}

/// The look of a word's letters, without accents.
fn looks(word: &str) -> Vec<String> {
    let bare = appearances(word).map(|look| {
        let letters = look.chars().filter(|c| !is_combining_mark(*c));
        letters.collect::<String>()
    });
    let mut looks: Vec<_> = bare.into_iter().filter(|look| !look.is_empty()).collect();
    looks.dedup();
    looks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserved(name: &str) -> bool {
        ReservedNames::new(["Paper House", "reviewer", "editor"]).has(name)
    }

    /// Kinds of names, each spelled in several ways: by itself, with another word of the table, in other letters.
    #[rustfmt::skip]
    const CLAIMS: &[(&str, &[&str])] = &[
        ("in charge, in every inflection", &[
            "Administratorin", "Administratoren", "Moderation", "Verwaltung", "Systemverwalterin",
        ]),
        ("in charge, beside anything", &[
            "Peter Admin", "Admin: Ada", "Verwaltung Nord", "Ada (Moderatorin)", "Site Administrator",
        ]),
        ("in charge, in one word with others", &[
            "Moderationsteam", "Verwaltungs-Team", "Netzwerkadministrator", "MyAdmin",
            "Systemadministrator", "Superadmin", "Hauptadministratorin", "WebAdmin", "AdminTeam",
        ]),
        ("who works for the site, alone", &[
            "Owner", "Support", "Hilfe", "Inhaberin", "Eigentümer", "Geschäftsführung", "Root", "MOD",
        ]),
        ("who works for the site, with words that claim nothing", &[
            "Live Support", "Support Agent", "Security Officer", "Dein Support", "Sicherheitsteam", "Seiteninhaber",
            "Support Team", "Official Support", "The Owner", "Head of Security", "IT-Support", "Das Team",
        ]),
        ("who works for the site, in one word", &[
            "SupportTeam", "Supportteam", "Kundensupport", "Team-Support", "Hilfecenter",
        ]),
        ("the site and its roles", &[
            "Paperhouse", "Paper House Official", "PaperHouse Support", "Reviewer", "The Editor Team",
            "Editor 2",
        ]),
        ("with numbers, spaces and signs", &[
            "Admin1", "Admin 007", "Support24", "24 Support", "S u p p o r t", "★ Support ★", "M.O.D.",
            "admin_2",
        ]),
        ("in letters that look alike", &[
            "Supp0rt", "ADM1N", "Adrnin", "Àdmïn", "Süpport Teàm", "ｓｕｐｐｏｒｔ", "\u{24b6}dmin",
            "\u{1d43}\u{1d48}\u{1d50}\u{2071}\u{207f}", "\u{1d00}\u{1d05}\u{1d0d}\u{26a}\u{274}",
            "\u{1f170}\u{1f173}\u{1f17c}\u{1f178}\u{1f17d}", "Geschaeftsfuehrung",
        ]),
    ];

    #[test]
    fn a_name_that_says_that_its_owner_looks_after_the_site_is_reserved() {
        for (kind, names) in CLAIMS {
            for name in *names {
                assert!(reserved(name), "{kind}: {name}");
            }
        }
    }

    #[test]
    fn names_of_people_are_nobodys_claim() {
        for name in [
            // Names that share letters with a reserved word.
            "Owen",
            "Adminah",
            "Hilfiger",
            "Supporter",
            "Stafford",
            "Modder",
            "Moderow",
            "Teamer",
            "Rootham",
            "Systermans",
            "Hilfenhaus",
            "Helpers",
            "Amin",
            "Redmin",
            "Operator-Schmidt",
            // Short words that look like a reserved one only when they are joined.
            "Mo D.",
            "Tea M.",
            "Ro Ot",
            // Trades that are surnames.
            "Wirt",
            "Meister",
            "Vogt",
            "Richter",
            "Leiter",
            "Hausmeister",
            // A surname that is reserved alone passes beside a first name.
            "Elihu Root",
            "Max Verwalter",
            "Grace Owner",
            "Peter Team",
            "Anna (Support)",
            "Ada Help",
            "Paul Paperhouse",
            "Chefin",
            "The Real Ada",
            "Ada 2",
            "2",
            "---",
            "Ада",
            "山田 太郎",
            "محمد",
        ] {
            assert!(!reserved(name), "{name}");
        }
    }
}
