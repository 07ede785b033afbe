//! The messages that the sources of a program use, with their arguments: for its tests.

use std::io;
use std::path::Path;

use super::Languages;
use super::message_uses::{arguments, line_of};

impl Languages {
    /// Finds unknown message ids and wrong arguments in the Rust sources below a folder.
    pub(crate) fn wrong_in_sources(&self, sources: &Path) -> io::Result<Vec<String>> {
        let mut all = Vec::new();
        for entry in std::fs::read_dir(sources)? {
            let path = entry?.path();
            if path.is_dir() {
                all.extend(self.wrong_in_sources(&path)?);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path)?;
                let place = path.display();
                all.extend(made(&text).filter_map(|made| {
                    let told = self.told(&made)?;
                    Some(format!("{place}, line {} {told}", made.line))
                }));
            }
        }
        all.sort();
        Ok(all)
    }

    fn told(&self, made: &Made<'_>) -> Option<String> {
        let given = |name: &str| made.function.contains(&format!(".with(\"{name}\""));
        if let Some(wrong) = self.wrong(made.id, given) {
            return Some(wrong.told(made.id));
        }
        let asked = self.asked(made.id)?;
        let idle = made.names.iter().find(|name| !asked.contains(**name))?;
        let id = made.id;
        Some(format!(
            "gives the message {id:?} the argument {idle:?}, which it does not use"
        ))
    }
}

/// A message that a source makes.
struct Made<'a> {
    line: usize,
    id: &'a str,
    /// The names of the arguments in the same expression.
    names: Vec<&'a str>,
    /// The rest of the function.
    function: &'a str,
}

/// Each `Message::new("id").with("name", value)`.
fn made(text: &str) -> impl Iterator<Item = Made<'_>> {
    const NEW: &str = "Message::new(";
    text.match_indices(NEW).filter_map(|(at, _)| {
        let (before, rest) = text.split_at(at);
        let comment = before.rsplit('\n').next()?.trim_start().starts_with("//");
        let rest = rest.get(NEW.len()..)?.trim_start().strip_prefix('"')?;
        let (id, rest) = rest.split_once('"')?;
        let ends = ["\n}\n", "\n    }\n", "\n    fn ", "\n    pub fn "];
        let end = ends.iter().filter_map(|end| rest.find(end)).min();
        let mut names = Vec::new();
        let mut chain = rest.trim_start().strip_prefix(',').unwrap_or(rest);
        chain = chain.trim_start().strip_prefix(')')?;
        while let Some(with) = chain.trim_start().strip_prefix(".with(") {
            let argument = with.trim_start().strip_prefix('"')?;
            names.push(argument.split_once('"')?.0);
            let length: usize = arguments(with).map(|argument| argument.len() + 1).sum();
            chain = with.get(length..)?;
        }
        (!comment).then_some(Made {
            line: line_of(before),
            id,
            names,
            function: end.and_then(|end| rest.get(..end)).unwrap_or(rest),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_of_a_source_are_found_with_what_they_are_given() {
        let text = "fn a() {\n    Message::new(\"x-y\")\n        .with(\"one\", f(1, \"(\"))\n        .with(\"two\", 2)\n}\n// Message::new(\"no\")\nfn b() { Message::new(id) }";
        let found: Vec<_> = made(text)
            .map(|made| (made.line, made.id, made.names))
            .collect();
        assert_eq!(found, [(2, "x-y", vec!["one", "two"])]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_file_and_line_in_folders_too() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        let wrong = "fn a() {\n    Message::new(\"there-is-none\")\n}";
        std::fs::write(inner.join("a.rs"), wrong).unwrap();
        std::fs::write(folder.path().join("b.txt"), wrong).unwrap();
        let told = Languages::english()
            .wrong_in_sources(folder.path())
            .unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].contains("a.rs, line 2") && told[0].contains("there-is-none"),
            "{told:?}"
        );
        assert!(
            Languages::english()
                .wrong_in_sources(&inner.join("none"))
                .is_err()
        );
    }

    #[test]
    fn what_the_framework_says_there_is_and_it_is_given_what_it_needs() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let wrong = Languages::english().wrong_in_sources(&sources).unwrap();
        // The examples in tests belong to an application.
        let wrong = wrong.iter().filter(|wrong| !wrong.contains("tests"));
        assert_eq!(wrong.collect::<Vec<_>>(), Vec::<&String>::new());
    }
}
