//! Names that lead elsewhere, hide their extension or mean something to a system.

use super::answer;
use crate::uploads::name::FileName;

/// Names that are refused, and why.
const REFUSED: &[(&str, &str)] = &[
    ("active_extension", "x.php.txt"),
    ("active_extension", "x.php.jpg.txt"),
    ("active_extension", "x.pHp5.txt"),
    ("active_extension", "x.phtml .txt"),
    ("active_extension", "x.p\u{200b}hp.txt"),
    ("active_extension", "x.\u{202e}php.txt"),
    ("active_extension", "x.asp;.txt.asp"),
    ("active_extension", "x.jsp.txt"),
    ("active_extension", "x.txt.html"),
    ("active_extension", "x.txt.exe"),
    ("active_extension", "x.txt.exe   "),
    ("active_extension", "x.txt.exe..."),
    ("active_extension", "x.txt.hta"),
    ("active_extension", "x.txt.lnk"),
    ("active_extension", "x.txt.docm"),
    (
        "active_extension",
        "x.txt                                        .exe",
    ),
    ("active_extension", "\u{202e}txt.exe"),
    ("active_extension", "invoice\u{202e}txt.scr"),
    ("active_extension", "x.txt/../y.php"),
    ("name", "x.txt\0.php"),
    ("name", "x.php\0.txt"),
    ("name", "x\n.txt"),
    ("name", "x\r\nset-cookie: a=b.txt"),
    ("name", "x\u{1b}[2J.txt"),
    ("name", "x\u{7f}.txt"),
    ("name", "x\u{9b}.txt"),
    ("name", "x"),
    ("name", ".txt"),
    ("name", ".htaccess"),
    ("name", "..."),
    ("name", ""),
    ("name", "x/"),
    ("name", "x.txt::$DATA"),
    ("name", "x.txt:stream"),
    ("name", "x.txt\\"),
    ("name", "x.t\u{0445}t"),
    ("name", "x.t x t"),
    ("name", "x.abcdefghijklmnop"),
    ("active_extension", "web.config"),
];

/// Names that lose what is dangerous in them: what was sent, and what is left.
const CLEANED: &[(&str, &str)] = &[
    ("../../etc/passwd.txt", "passwd.txt"),
    ("..\\..\\x.txt", "x.txt"),
    ("/etc/cron.d/x.txt", "x.txt"),
    ("C:\\Windows\\x.txt", "x.txt"),
    ("\\\\host\\share\\x.txt", "x.txt"),
    ("file:///etc/x.txt", "x.txt"),
    ("a:b.txt", "b.txt"),
    ("con.txt", "_con.txt"),
    ("AUX.txt", "_AUX.txt"),
    ("lpt1.txt", "_lpt1.txt"),
    ("nul .txt", "_nul.txt"),
    (" x.txt", "x.txt"),
    ("-rf.txt", "rf.txt"),
    ("...x.txt", "x.txt"),
    ("x.txt.", "x.txt"),
    ("x.txt ", "x.txt"),
    ("x.txt . .", "x.txt"),
    ("a\u{202e}b.txt", "ab.txt"),
    ("a\u{2066}b\u{2069}.txt", "ab.txt"),
    ("a\u{feff}\u{200b}b.txt", "ab.txt"),
    ("a\u{3164}b.txt", "ab.txt"),
    ("a$(id)`id`;|&.txt", "a_(id)_id___&.txt"),
    ("a<script>\"'.txt", "a_script__'.txt"),
    ("%2e%2e%2fx.txt", "_2e_2e_2fx.txt"),
    ("${jndi:ldap:x}.txt", "x}.txt"),
];

/// ASVS: V5.2.2, V5.3.2, V5.4.1
#[test]
fn a_name_leads_nowhere_and_hides_no_extension() {
    let mut wrong = Vec::new();
    for (word, name) in REFUSED {
        let got = answer(b"text\n", name);
        if got != format!("refused: {word}") {
            wrong.push(format!("{name:?}: expected {word}, got {got}"));
        }
    }
    for (sent, left) in CLEANED {
        let got = FileName::parse(sent).map(|name| name.as_str().to_owned());
        if got.as_deref() != Ok(*left) || answer(b"text\n", sent) != "txt" {
            wrong.push(format!("{sent:?}: expected {left:?}, got {got:?}"));
        }
    }
    let long = format!("{}.txt", "a".repeat(1_021));
    if answer(b"text\n", &long) != "refused: name" {
        wrong.push("a name of 1,025 bytes".to_owned());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
