//! The templates and values that the sources of a program name: for its tests.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::Bundle;
use super::context::judge;
use super::layout;
use super::letter_templates::is_of_a_letter;
use super::page_check::OF_EVERY_PAGE;

/// The text before the name of a template in a source.
const NAMES_A_TEMPLATE: [&str; 5] = [
    "Page::new(",
    ".or_rerender(",
    ".bind(",
    ": &str = ",
    "#[page(template = ",
];

/// The text before the name of a value for a page.
const GIVES_A_VALUE: [&str; 4] = [".with(", ".with_value(", ".form(", "context! {"];

/// Finds unknown templates in the Rust sources below a folder, and values that templates use and no source gives. `own`
/// has the framework's templates: their names are known, and the framework's handlers give their values.
pub(crate) fn wrong_templates(
    own: &Bundle,
    bundles: &[Bundle],
    sources: &Path,
) -> io::Result<Vec<String>> {
    let mut texts = Vec::new();
    read(sources, &mut texts)?;
    let names_of = |bundles: &[Bundle]| -> BTreeSet<String> {
        let names = bundles.iter().flat_map(Bundle::names);
        names.map(String::from).collect()
    };
    let (names, own_names) = (names_of(bundles), names_of(&[*own]));
    let mut wrong = Vec::new();
    let mut given: BTreeSet<String> = OF_EVERY_PAGE.map(str::to_owned).into();
    given.insert(layout::NAME.to_owned());
    for (place, text) in &texts {
        for (line, name) in literals(text, &NAMES_A_TEMPLATE) {
            let known = names.contains(name) || own_names.contains(name);
            if name.ends_with(".html") && !known {
                wrong.push(format!(
                    "{place}, line {line}: there is no template {name:?}"
                ));
            }
        }
        given.extend(literals(text, &GIVES_A_VALUE).map(|(_, name)| name.to_owned()));
        given.extend(fields_of_pages(text).map(str::to_owned));
    }
    let text = |name: &str| {
        let mut bundles = bundles.iter().rev().chain([own]);
        let found = bundles.find_map(|bundle| bundle.read(name))?;
        String::from_utf8(found.into_owned()).ok()
    };
    let own_text = |name: &str| String::from_utf8(own.read(name)?.into_owned()).ok();
    for name in &own_names {
        if let Ok(Some(judged)) = judge(name, &own_text) {
            given.extend(judged.bound);
            given.extend(judged.names.into_iter().map(|found| found.what));
        }
    }
    let mut taken = Vec::new();
    for name in &names {
        // A template that cannot be checked prevents the start.
        let Ok(Some(judged)) = judge(name, &text) else {
            continue;
        };
        given.extend(judged.bound);
        taken.extend(judged.names.into_iter().map(|found| (name, found)));
    }
    for (template, found) in taken {
        // The start compares a letter's template with the letter's own fields.
        if is_of_a_letter(template) {
            continue;
        }
        if !given.contains(&found.what) {
            let (line, name) = (found.line, found.what);
            wrong.push(format!(
                "template {template}, line {line}: no handler passes {name:?}"
            ));
        }
    }
    wrong.sort();
    wrong.dedup();
    Ok(wrong)
}

/// The fields of each struct with `#[page(template = "…")]`: the start compares the template with them.
fn fields_of_pages(text: &str) -> impl Iterator<Item = &str> {
    let structs = text.split("#[page(template").skip(1);
    let bodies = structs.filter_map(|rest| rest.split_once('{')?.1.split_once('}'));
    bodies.flat_map(|(body, _)| {
        body.lines().filter_map(|line| {
            let (name, _) = line.trim_start().split_once(": ")?;
            let name = name.rsplit(' ').next()?;
            let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            (is_name && !line.trim_start().starts_with("//")).then_some(name)
        })
    })
}

fn read(folder: &Path, texts: &mut Vec<(String, String)>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, texts)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            let text = std::fs::read_to_string(&path)?;
            texts.push((path.display().to_string(), text));
        }
    }
    Ok(())
}

/// The literals after one of these words, each with its line, except in comments.
fn literals<'a>(text: &'a str, words: &'a [&'a str]) -> impl Iterator<Item = (usize, &'a str)> {
    words.iter().flat_map(move |word| {
        text.match_indices(word).filter_map(move |(at, _)| {
            let (before, rest) = text.split_at(at);
            let comment = before.rsplit('\n').next()?.trim_start().starts_with("//");
            let rest = rest.get(word.len()..)?.trim_start().strip_prefix('"')?;
            let (name, _) = rest.split_once('"')?;
            (!comment).then(|| (before.matches('\n').count() + 1, name))
        })
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    const NONE: Bundle = Bundle::inside(|_| None, Vec::new);

    #[test]
    fn a_misspelled_template_and_a_value_that_nobody_gives_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let source = "// Page::new(\"commented.html\")\nfn a() { Page::new(\"a.html\").with(\"title\", 1) }\n\
            const PAGE: &str = \"b.html\";\nfn b() { form.or_rerender(\n    \"c.html\") }";
        std::fs::write(folder.path().join("main.rs"), source).unwrap();
        let bundle = Bundle::inside(
            |name| {
                let text = "{{ title }}{% if titel %}{% for x in title %}{{ x }}{{ loop }}{% endfor %}\n\
                    {% call(row) title() %}{{ row }}{% endcall %}\
                    {% if user and flash %}{{ unknown.a }}{% endif %}{% endif %}";
                (name == "a.html").then_some(Cow::Borrowed(text.as_bytes()))
            },
            || vec![Cow::Borrowed("a.html")],
        );
        let wrong = wrong_templates(&NONE, &[bundle], folder.path()).unwrap();
        let main = folder.path().join("main.rs").display().to_string();
        assert_eq!(
            wrong,
            [
                format!("{main}, line 3: there is no template \"b.html\""),
                format!("{main}, line 4: there is no template \"c.html\""),
                "template a.html, line 1: no handler passes \"titel\"".to_owned(),
                "template a.html, line 2: no handler passes \"unknown\"".to_owned(),
            ]
        );
    }

    #[test]
    fn a_page_with_a_struct_gives_its_fields() {
        let source = "#[derive(PageData)]\n#[page(template = \"a.html\")]\npub(crate) struct A {\n    /// The title: words.\n    \
            pub title: String,\n    #[page(untyped)]\n    other: Foreign,\n}\nstruct B { c: u8 }";
        let fields: Vec<_> = fields_of_pages(source).collect();
        assert_eq!(fields, ["title", "other"]);
    }

    /// The framework's own templates use values that its own handlers give.
    #[test]
    fn every_template_of_the_framework_is_given_what_it_takes() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        #[derive(rust_embed::RustEmbed)]
        #[folder = "templates"]
        struct Own;
        let wrong = wrong_templates(&NONE, &[Bundle::of::<Own>()], &root.join("src")).unwrap();
        // The tests of rooms have pages of their own.
        let wrong = wrong.iter().filter(|wrong| wrong.starts_with("template"));
        assert_eq!(wrong.collect::<Vec<_>>(), Vec::<&String>::new());
    }
}
