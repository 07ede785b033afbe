//! Every target of `fuzz/` runs here on some inputs, so that it compiles and takes any bytes.

use proptest::prelude::*;

use crate::forms::fuzzing::*;
use crate::uploads::fuzzing::{archive, office, pdf};

/// One of these functions, for texts and for bytes.
type Target = (&'static str, fn(&[u8]));

macro_rules! text {
    ($name:ident) => {
        (stringify!($name), |bytes| {
            crate::forms::fuzzing::$name(&String::from_utf8_lossy(bytes))
        })
    };
}

const TARGETS: &[Target] = &[
    text!(accept_language),
    ("archive", archive),
    text!(boundary),
    ("chain", crate::https::fuzzing::chain),
    text!(clean),
    ("disposition", disposition),
    text!(hidden),
    ("json", json),
    text!(local_path),
    text!(markdown),
    ("multipart", multipart),
    ("office", office),
    text!(path),
    ("pdf", pdf),
    ("proxy_protocol", crate::https::fuzzing::proxy_protocol),
    text!(range),
    text!(rows),
    text!(signature),
    text!(template),
    text!(token),
    ("urlencoded", urlencoded),
    text!(values),
];

/// Tokens that the parsers know, so that they read more than the first byte of an input.
const PIECES: &[&str] = &[
    "a",
    "7",
    "-",
    "+",
    ".",
    "0.5",
    "/",
    "//",
    "\\",
    "?",
    "#",
    " ",
    "\r\n",
    "\0",
    "=",
    "&",
    "%",
    "%c3%a9",
    ";",
    ",",
    ":",
    "\"",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "<p>",
    "</p>",
    "<a href=\"https://a.b\" rel=\"noopener nofollow ugc\">",
    "</a>",
    "<pre>",
    "&amp;",
    "&#x202e;",
    "<!--",
    "<</S/JavaScript/JS(",
    "<</Type/ObjStm/N 1/First 4/Filter/AHx>>stream\n",
    ">>",
    "7 0 obj",
    "7 0 R",
    "endstream",
    "trailer",
    "/AA",
    "/EF",
    "PK\u{3}\u{4}",
    "<!DOCTYPE a>",
    "<w:fldChar w:fldCharType='begin'/>",
    "<Relationship Type='/image' Target='//a'/>",
    "{{ a }}",
    "{% if a %}",
    "{% endif %}",
    "{% extends 'page.html' %}",
    "<script>",
    "<a href=",
    "title",
    "newest",
    "items.0.title",
    "items.3.notes.1.text",
    "reference",
    "tags",
    "urgent",
    "\"count\":1",
    "null",
    "true",
    "bytes=",
    "de-CH",
    ";q=0.8",
    "t=",
    ",v1=",
    "00",
    "ff",
    "multipart/form-data; boundary=",
    "form-data; name=\"",
    "filename*=UTF-8''",
    "--b0",
    "on",
    "https://",
    "example.org",
    "@",
    "2027-05-31",
    "T09:30",
    "#a0b1c2",
    "\u{430}",
    "\u{34f}",
    "\u{200d}",
    "\u{fe0f}",
    "\u{202e}",
    "\u{1f469}",
    "Cafe\u{301}",
    "**",
    "> ",
    "- ",
    "\n\n",
];

#[test]
fn every_target_is_here_and_can_be_run() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let mut files: Vec<String> = std::fs::read_dir(root.join("targets"))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    files.sort();
    let names: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, names);
    for name in names {
        assert!(
            manifest.contains(&format!("path = \"targets/{name}.rs\"")),
            "{name}"
        );
        let target = std::fs::read_to_string(root.join(format!("targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("fuzzing::{name}(")), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_target_takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        for (_, target) in TARGETS {
            target(&bytes);
        }
    }

    #[test]
    fn every_target_takes_any_pieces(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12)) {
        let text = pieces.concat();
        for (_, target) in TARGETS {
            target(text.as_bytes());
        }
    }
}
