//! Texts that no language can translate, in templates and sources.

use std::path::Path;

use super::text::{Words, bare};
use crate::company::files_below;

/// Texts that are the same in every language, each with its reason.
const NO_MESSAGES: [(&str, &str); 2] = [
    ("Portal", "the product's name, where the logo is"),
    ("· Portal", "the product's name, at the end of every title"),
];

#[test]
fn no_template_has_a_text_that_is_no_message() {
    let mut found = Vec::new();
    let mut allowed = Vec::new();
    for (name, source) in read("templates").chain(read("../dewar/templates")) {
        // The text of a letter is no HTML; the test of the letters reads it in every language.
        let texts = bare(&source)
            .into_iter()
            .filter(|_| !name.ends_with(".txt"));
        for Words { line, text } in texts {
            match NO_MESSAGES.iter().find(|(known, _)| *known == text) {
                Some(known) => allowed.push(known),
                None => found.push(format!("{name}, line {line}: {text:?}")),
            }
        }
    }
    let wrong = found.join("\n");
    assert!(
        found.is_empty(),
        "write it as a message, {{{{ t(\"…\") }}}}:\n{wrong}\nallowed are {NO_MESSAGES:#?}"
    );
    for known in &NO_MESSAGES {
        assert!(allowed.contains(&known), "{known:?} is nowhere any longer");
    }
}

/// Calls with a text for visitors as the first argument, and as the second.
const FIRST: [&str; 4] = [".flash(", "with_all(", ".public(", "Problem::new("];
const SECOND: [&str; 3] = ["Problems::at(", ".refuse(", ".and("];

#[test]
fn no_source_says_a_text_that_is_no_message() {
    let mut found = Vec::new();
    for (name, source) in read("src") {
        found.extend(said(&source).map(|said| format!("{name}: {said}")));
    }
    assert!(
        found.is_empty(),
        "write it as Message::new(\"…\"): {found:#?}"
    );
    let bare = ".flash( \"Done.\") Problems::at(Note::TITLE, \"No.\") .and(\"b\", Message::new(\"b-c\")) .public(format!(\"{x}\"))";
    assert_eq!(said(bare).count(), 3);
}

fn said(source: &str) -> impl Iterator<Item = &str> {
    let first = FIRST.iter().flat_map(|call| source.split(call).skip(1));
    let second = SECOND.iter().flat_map(|call| source.split(call).skip(1));
    // The first argument is a field of a form.
    let second = second.filter_map(|arguments| {
        let (field, text) = arguments.split_once(',')?;
        field.trim().chars().all(is_of_a_field).then_some(text)
    });
    let said = first.chain(second).map(str::trim_start);
    let bare = said.filter(|said| said.starts_with('"') || said.starts_with("format!"));
    bare.filter_map(|said| said.lines().next())
}

fn is_of_a_field(character: char) -> bool {
    character.is_alphanumeric() || "_:.\"".contains(character)
}

/// The files of a folder of the portal, each with its name.
fn read(folder: &str) -> impl Iterator<Item = (String, String)> {
    let files = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
    assert!(files.len() > 5, "{folder} has {files:?}");
    files.into_iter().map(|file| {
        let text = std::fs::read_to_string(&file).unwrap();
        (file.display().to_string(), text)
    })
}
