//! The checks as data: what a finding of each says.

use dewar::audit::{Practice, Severity};

use crate::scan::ScanCheck;

use Practice::{
    Accounts, Audit, Csrf, Database, Forms, Https, Pages, Roles, Secrets, Sessions, Uploads,
};
use Severity::{Critical, High, Info, Low, Medium};

const fn row(
    id: &'static str,
    (practice, severity, cwe): (Practice, Severity, u16),
    what: &'static str,
    why: &'static str,
    fix: &'static str,
    asvs: &'static [&'static str],
) -> ScanCheck {
    ScanCheck::new(id, practice, severity, cwe, asvs).texts(what, why, fix)
}

/// A check by its id; the last row if there is none, which a test excludes.
pub(crate) fn check(id: &str) -> &'static ScanCheck {
    static NONE: ScanCheck = row("live-unknown", (Audit, Info, 0), "", "", "", &[]);
    CHECKS
        .iter()
        .flat_map(|part| part.iter())
        .find(|check| check.id == id)
        .unwrap_or(&NONE)
}

/// Every check.
pub(crate) const CHECKS: [&[ScanCheck]; 4] = [INJECTION, ACCESS, ACCOUNT, SURROUNDINGS];

const INJECTION: &[ScanCheck] = &[
    row(
        "live-sql-injection",
        (Database, Critical, 89),
        "A value is executed as SQL",
        "A visitor reads and changes every row of the database, and signs in as anybody.",
        "Bind the value: `execute(\"... WHERE id = ?\", (id,))`. Take names of columns from a fixed list.",
        &["1.2.4"],
    ),
    row(
        "live-nosql-injection",
        (Database, High, 943),
        "A value is executed as a query operator",
        "A visitor gets records without knowing them, and signs in without a password.",
        "Accept only text where text is expected; refuse objects and names that begin with `$`.",
        &["1.2.4"],
    ),
    row(
        "live-xpath-injection",
        (Database, High, 643),
        "A value is executed as XPath",
        "A visitor reads the whole document.",
        "Pass the value as an XPath variable.",
        &["1.2.7"],
    ),
    row(
        "live-ldap-injection",
        (Database, High, 90),
        "A value is executed as an LDAP filter",
        "A visitor gets entries without knowing them, and signs in without a password.",
        "Escape the value by RFC 4515.",
        &["1.2.6"],
    ),
    row(
        "live-template-injection",
        (Forms, Critical, 1336),
        "A value is executed as a template",
        "A visitor runs code on the server.",
        "Never build the text of a template from input; pass the value to a fixed template.",
        &["1.3.7"],
    ),
    row(
        "live-code-injection",
        (Forms, Critical, 95),
        "A value is executed as code",
        "A visitor runs code on the server.",
        "Never pass input to `eval` or `exec`; parse it.",
        &["1.3.2"],
    ),
    row(
        "live-command-injection",
        (Forms, Critical, 78),
        "A value is executed by a shell",
        "A visitor runs programs on the server.",
        "Start the program without a shell, with a list of arguments, and refuse values that begin with `-`.",
        &["1.2.5"],
    ),
    row(
        "live-path-traversal",
        (Forms, High, 22),
        "A value names any file of the server",
        "A visitor reads keys, passwords and the source.",
        "Take an id and look the path up, or compare the resolved path with the one permitted folder.",
        &["5.3.2"],
    ),
    row(
        "live-remote-inclusion",
        (Forms, Critical, 98),
        "A value names code on another server, which is run",
        "A visitor runs code on the server.",
        "Run no code from an address that a visitor names.",
        &["1.3.2"],
    ),
    row(
        "live-ssrf",
        (Forms, High, 918),
        "The server opens an address that a visitor names",
        "A visitor reaches services behind the firewall, and the metadata of the cloud.",
        "Permit named hosts only, and judge the resolved address.",
        &["1.3.6"],
    ),
    row(
        "live-xxe",
        (Forms, High, 611),
        "An XML document reads files or addresses of the server",
        "A visitor reads files, and reaches services behind the firewall.",
        "Refuse document types: `defusedxml`, or `resolve_entities=False` and `no_network=True`.",
        &["1.5.1"],
    ),
    row(
        "live-unsafe-deserialization",
        (Forms, Critical, 502),
        "A value is executed while it is deserialised",
        "A visitor runs code on the server.",
        "Use JSON; never `pickle` or `yaml.load` on input.",
        &["1.5.2"],
    ),
    row(
        "live-header-injection",
        (Forms, Medium, 113),
        "A value ends a header line of the answer",
        "A visitor sets cookies and writes pages under this origin.",
        "Refuse CR and LF in values of headers.",
        &["1.3.11"],
    ),
    row(
        "live-open-redirect",
        (Forms, Medium, 601),
        "A value sends the browser to any site",
        "A link to this site ends on a site that asks for the password.",
        "Redirect to paths of this site only; refuse `//` and `/\\`.",
        &["3.7.2"],
    ),
    row(
        "live-xss-reflected",
        (Pages, High, 79),
        "A value is executed as script in the page",
        "A link runs script as the user who opens it.",
        "Escape where the value is shown; quote attributes; let only `http` addresses into `href`.",
        &["1.2.1"],
    ),
    row(
        "live-xss-stored",
        (Pages, High, 79),
        "A stored value is executed as script in a page",
        "One visitor's text runs script as every reader.",
        "Escape where the value is shown (no `|safe`), or sanitise it when it is stored.",
        &["1.2.1"],
    ),
    row(
        "live-xss-dom",
        (Pages, Medium, 79),
        "A script writes a part of the address into the page",
        "A link runs script as the user who opens it.",
        "Use `textContent`; never `document.write` or `innerHTML`.",
        &["3.2.2"],
    ),
    row(
        "live-host-injection",
        (Forms, Low, 644),
        "The host of the request is believed",
        "A link in a letter or in a cached page leads to another site.",
        "Compare the host with a list.",
        &["4.1.3"],
    ),
];

const ACCESS: &[ScanCheck] = &[
    row(
        "live-csrf",
        (Csrf, Medium, 352),
        "Another site can make the user's browser change something",
        "A page elsewhere acts as the user who visits it.",
        "Require a token of the session in every form, compare `Origin`, and set `SameSite` on the cookie.",
        &["3.5.1"],
    ),
    row(
        "live-csrf-sign-in",
        (Csrf, Low, 352),
        "Another site can send the sign-in or sign-up form",
        "A page elsewhere signs the visitor in to an account of the attacker.",
        "Require a token in the sign-in form too.",
        &["3.5.1"],
    ),
    row(
        "live-csrf-get",
        (Csrf, Medium, 352),
        "A link changes something",
        "An image or a link elsewhere acts as the user who sees it.",
        "Change things by POST only, with a token.",
        &["3.5.1"],
    ),
    row(
        "live-object-access",
        (Roles, High, 639),
        "A user gets another user's object by its id",
        "Every user reads or changes what belongs to all others.",
        "Look the object up by its id and its owner in one query.",
        &["8.2.2"],
    ),
    row(
        "live-missing-access-check",
        (Roles, High, 862),
        "A page for users is open to everybody",
        "A visitor without an account gets what is meant for users.",
        "Check the session in every route.",
        &["8.2.1"],
    ),
    row(
        "live-privilege-escalation",
        (Roles, High, 269),
        "A user without rights gets a page for administrators",
        "Every user is an administrator.",
        "Check the role in every route.",
        &["8.2.1"],
    ),
    row(
        "live-mass-assignment",
        (Roles, High, 915),
        "A field that is not in the form changes the record",
        "A user gives himself rights, or another owner's record.",
        "Copy only the named fields.",
        &["15.3.3"],
    ),
    row(
        "live-session-forgery",
        (Sessions, Critical, 565),
        "The session cookie can be written by the visitor",
        "Anybody signs in as anybody.",
        "Sign the cookie with a strong key, or keep the session on the server.",
        &["7.2.2"],
    ),
    row(
        "live-weak-session-key",
        (Secrets, Critical, 321),
        "The key that signs sessions is guessed",
        "Anybody signs in as anybody.",
        "Make a random key of 32 bytes, and keep it out of the source.",
        &["11.1.1"],
    ),
    row(
        "live-jwt-unverified",
        (Sessions, Critical, 347),
        "A token is accepted without its signature",
        "Anybody signs in as anybody.",
        "erify the signature, with one fixed algorithm.",
        &["9.1.1"],
    ),
    row(
        "live-jwt-weak-key",
        (Secrets, Critical, 321),
        "The key that signs tokens is guessed",
        "Anybody signs in as anybody.",
        "Make a random key of 32 bytes, and keep it out of the source.",
        &["11.1.1"],
    ),
    row(
        "live-jwt-no-expiry",
        (Sessions, Low, 613),
        "A token has no end",
        "A token that was copied once is valid for ever.",
        "Set `exp`, and require it.",
        &["9.2.1"],
    ),
    row(
        "live-sensitive-data",
        (Roles, High, 200),
        "An answer contains passwords or keys",
        "A visitor reads what opens other accounts.",
        "Answer with the named fields only.",
        &["15.3.1"],
    ),
];

const ACCOUNT: &[ScanCheck] = &[
    row(
        "live-brute-force",
        (Accounts, Medium, 307),
        "Passwords can be tried without a limit",
        "An attacker tries leaked and common passwords until one fits.",
        "Limit the tries by account and by address.",
        &["6.3.1"],
    ),
    row(
        "live-default-credentials",
        (Accounts, Critical, 1392),
        "An account has a well-known password",
        "Anybody signs in.",
        "Ship no account with a password; make one at the first start.",
        &["6.3.2"],
    ),
    row(
        "live-user-enumeration",
        (Accounts, Low, 204),
        "The sign-in form says which accounts exist",
        "An attacker collects names to try passwords on.",
        "Answer the same for an unknown account and a wrong password.",
        &["6.3.8"],
    ),
    row(
        "live-weak-password",
        (Accounts, Medium, 521),
        "A password of one character is accepted",
        "Accounts fall to the first guesses.",
        "Require at least 8 characters, and refuse common passwords.",
        &["6.2.1"],
    ),
    row(
        "live-password-change",
        (Accounts, Medium, 620),
        "A password is changed without the current one",
        "A session that was left open or forged becomes the attacker's account.",
        "Ask for the current password.",
        &["6.2.3"],
    ),
    row(
        "live-password-in-url",
        (Accounts, Medium, 598),
        "A password travels in the address",
        "Logs, histories and the `Referer` keep it.",
        "Send the form by POST.",
        &["14.2.1"],
    ),
    row(
        "live-session-fixation",
        (Sessions, High, 384),
        "A session keeps its id when somebody signs in",
        "An attacker who set the cookie before is signed in too.",
        "Make a new session at sign-in.",
        &["7.2.4"],
    ),
    row(
        "live-session-not-ended",
        (Sessions, Medium, 613),
        "A session goes on after the sign-out",
        "A copied cookie is valid after the user left.",
        "End the session on the server.",
        &["7.4.1"],
    ),
    row(
        "live-cookie-flags",
        (Sessions, Low, 1004),
        "A session cookie lacks attributes",
        "A script, a plain connection or another site gets the session.",
        "Set `HttpOnly`, `Secure` and `SameSite=Lax` or `Strict`.",
        &["3.3.1", "3.3.2", "3.3.4"],
    ),
];

const SURROUNDINGS: &[ScanCheck] = &[
    row(
        "live-debugger",
        (Audit, Critical, 489),
        "A debugger is open to visitors",
        "A visitor reads the source and the variables, and with its PIN runs code.",
        "Turn debug mode off: `debug=False`, no `FLASK_DEBUG`.",
        &["13.4.2"],
    ),
    row(
        "live-verbose-error",
        (Audit, Medium, 209),
        "An error page shows the inside of the program",
        "A visitor learns paths, queries and versions, and sees each attack's effect.",
        "Show one plain error page, and write the rest to the log.",
        &["16.5.1"],
    ),
    row(
        "live-exposed-file",
        (Audit, High, 538),
        "A file that is not meant for visitors is served",
        "A visitor reads the source, keys or data.",
        "Serve one folder of public files, and nothing beside it.",
        &["13.4.1"],
    ),
    row(
        "live-exposed-log",
        (Audit, High, 532),
        "The log of requests is served",
        "A visitor reads the addresses, names and tokens of all others.",
        "Keep logs outside the application, or ask for a role.",
        &["16.4.2"],
    ),
    row(
        "live-directory-listing",
        (Audit, Low, 548),
        "A folder's list of files is served",
        "A visitor finds files that no page links.",
        "Turn directory listings off.",
        &["13.4.3"],
    ),
    row(
        "live-route-list",
        (Audit, Low, 497),
        "The list of all routes is served",
        "A visitor finds routes that no page links.",
        "Remove the page, or ask for a role.",
        &["13.4.5"],
    ),
    row(
        "live-cors",
        (Https, High, 942),
        "Scripts of any site may read answers as the user",
        "A page elsewhere reads the data of the user who visits it.",
        "Permit named origins only.",
        &["3.4.2"],
    ),
    row(
        "live-headers",
        (Https, Low, 693),
        "Pages lack protective headers",
        "One mistake in a page has its full effect.",
        "Send `Content-Security-Policy` (with `frame-ancestors`), `X-Content-Type-Options: nosniff` and, over TLS, `Strict-Transport-Security`.",
        &["3.4.1", "3.4.3", "3.4.4", "3.4.6"],
    ),
    row(
        "live-plain-http",
        (Https, Low, 319),
        "The application speaks plain HTTP",
        "Everybody on the way reads passwords and sessions.",
        "Serve TLS, and redirect plain HTTP to it.",
        &["12.2.1"],
    ),
    row(
        "live-certificate",
        (Https, Medium, 295),
        "The certificate is not trusted",
        "Users learn to click warnings away.",
        "Use a certificate of a trusted authority (ACME).",
        &["12.2.2"],
    ),
    row(
        "live-upload-active",
        (Uploads, High, 434),
        "An uploaded page is served as a page of this site",
        "One visitor's file runs script as every reader.",
        "Check the kind by its bytes, and serve with `Content-Disposition: attachment` and `nosniff`.",
        &["5.2.2"],
    ),
    row(
        "live-upload-any-type",
        (Uploads, Low, 434),
        "An upload of any type is accepted",
        "Pages, scripts and programs are stored beside pictures.",
        "Check the kind by its bytes against a list.",
        &["5.2.2"],
    ),
    row(
        "live-upload-name",
        (Uploads, High, 22),
        "An upload's name chooses its folder",
        "A visitor writes into any folder.",
        "Store files under names of your own.",
        &["5.3.2"],
    ),
    row(
        "live-file-write",
        (Uploads, High, 73),
        "A value names a file that is written",
        "A visitor writes into any folder.",
        "Store files under names of your own.",
        &["5.3.2"],
    ),
    row(
        "live-version-banner",
        (Audit, Info, 200),
        "Answers name the server and its version",
        "A visitor looks up the faults of that version.",
        "Remove the versions from `Server` and `X-Powered-By`.",
        &["13.4.6"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_an_id_of_its_own_and_says_all() {
        let all: Vec<&ScanCheck> = CHECKS.iter().flat_map(|part| part.iter()).collect();
        for row in &all {
            assert!(row.id.starts_with("live-"), "{}", row.id);
            assert_eq!(
                all.iter().filter(|other| other.id == row.id).count(),
                1,
                "{}",
                row.id
            );
            assert!(
                [row.what, row.why, row.fix]
                    .iter()
                    .all(|text| !text.is_empty()),
                "{}",
                row.id
            );
            assert!(row.cwe > 0 && !row.asvs.is_empty(), "{}", row.id);
        }
    }
}
