//! The book: every page is in its table of contents, and every link between pages leads to a file.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The pages in a folder and in those below it.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(pages(&path));
        } else if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
    found
}

/// The files to which a page links: without other sites, places on the same page, and code.
fn links(text: &str) -> Vec<&str> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        if in_code || is_fence {
            continue;
        }
        let targets = line.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split([')', '#', ' ']).next());
        found.extend(targets.filter(|target| !target.is_empty() && !target.contains(':')));
    }
    found
}

#[test]
fn every_page_is_in_the_table_of_contents_once() {
    let docs = root().join("docs");
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let listed = links(&summary);
    let mut wrong = Vec::new();
    for page in pages(&docs) {
        let name = page.strip_prefix(&docs).unwrap().to_string_lossy();
        let times = listed.iter().filter(|one| **one == name).count();
        if name != "SUMMARY.md" && times != 1 {
            wrong.push(format!("docs/SUMMARY.md has {name} {times} times"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_link_between_pages_leads_to_a_file() {
    let mut wrong = Vec::new();
    // `proof.rs` makes and compares the index of the tests.
    let of_the_book = pages(&root().join("docs"));
    let own = of_the_book
        .into_iter()
        .filter(|page| !page.ends_with("proof.md"));
    for page in own.chain([root().join("README.md")]) {
        let text = fs::read_to_string(&page).unwrap();
        let folder = page.parent().unwrap();
        let broken = links(&text)
            .into_iter()
            .filter(|target| !folder.join(target).exists());
        wrong.extend(broken.map(|target| format!("{}: {target}", page.display())));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_reader_of_links_sees_links_and_no_code() {
    let page = "[a](a.md) [b](b/c.md#d)\n```\n[e](e.md)\n```\n[f](https://f.example) [g](#g)";
    assert_eq!(links(page), ["a.md", "b/c.md"]);
}
