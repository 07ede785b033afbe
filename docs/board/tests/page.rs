//! The tutorial's page shows these files, word for word; that they do what it says, `board.rs` shows, which is one of
//! them.

use std::fs;
use std::path::Path;

/// The file that a block of the page is, by its first line, and the rest of the block.
fn block(text: &str) -> Option<(&str, &str)> {
    let (language, text) = text.split_once('\n')?;
    let (first, rest) = text.split_once('\n')?;
    let name = match language {
        "rust" => first.strip_prefix("// "),
        "sql" => first.strip_prefix("-- "),
        "html" => first
            .strip_prefix("{# ")
            .and_then(|name| name.strip_suffix(" #}")),
        _ => return None,
    };
    // The first lines of the page are a program of their own.
    Some(name.map_or(("examples/hello.rs", text), |name| (name, rest)))
}

#[test]
fn the_page_shows_these_files() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(here.join("../tutorial.md")).unwrap();
    let blocks: Vec<_> = page
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(block)
        .collect();
    let names: Vec<&str> = blocks.iter().map(|(name, _)| *name).collect();
    let all = [
        "examples/hello.rs",
        "src/main.rs",
        "src/lib.rs",
        "migrations/0001_notices.sql",
        "templates/notices/index.html",
        "src/notices.rs",
        "templates/notices/new.html",
        "tests/board.rs",
        "tests/templates.rs",
    ];
    assert_eq!(names, all);
    for (name, text) in blocks {
        let file = fs::read_to_string(here.join(name)).unwrap();
        assert_eq!(text, file, "{name} and the page differ");
    }
}
