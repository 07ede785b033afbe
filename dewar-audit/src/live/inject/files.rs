//! Files of the server: their content, which a name beside them does not give.

use super::Spot;
use crate::live::call::Answer;
use crate::live::engine::{Engine, Stop};
use crate::live::point::Point;

/// Whether a text is that of `/proc/version`.
///
/// A route may write the file that it is given the name of: the audit once emptied `/etc/passwd` that way. Nobody can write this
/// one, so it is the only file that attacks name.
pub(super) fn is_version(text: &str) -> bool {
    text.split("Linux version ")
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains('#'))
}

pub(super) async fn run(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    if matches!(spot.point, Point::FileContent(_)) || spot.is_found(engine, "live-path-traversal") {
        return Ok(());
    }
    let end = spot
        .value
        .rsplit_once('.')
        .map(|(_, end)| end)
        .filter(|end| end.len() <= 5 && !end.is_empty());
    let mut forms = vec![
        "/proc/PW".to_owned(),
        "../../../../../../../../../../proc/PW".to_owned(),
        "....//....//....//....//....//....//proc/PW".to_owned(),
        "file:///proc/PW".to_owned(),
        "%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fproc%2fPW".to_owned(),
    ];
    if let Some(end) = end {
        forms.push(format!("../../../../../../../../proc/PW\0.{end}"));
    }
    if let Some((folder, _)) = spot
        .value
        .rsplit_once('/')
        .filter(|(folder, _)| !folder.is_empty())
    {
        forms.push(format!("{folder}/../../../../../../../../proc/PW"));
    }
    for form in forms {
        let (call, answer) = spot.attack(engine, &form.replace("PW", "version")).await?;
        if !(is_version(&answer.text)) || is_version(&spot.base.text) {
            continue;
        }
        // A page that shows the file to every request proves nothing.
        let (_, control) = spot.attack(engine, &form.replace("PW", "versiom")).await?;
        if !is_version(&control.text) {
            spot.report(
                engine,
                "live-path-traversal",
                &call,
                &answer,
                "Linux version",
            );
            return Ok(());
        }
    }
    // A route that writes would empty the program's own source.
    if engine.options.dangerous_destructive {
        source(engine, spot).await?;
    }
    Ok(())
}

/// The program's own source, for a place that only reads beside itself.
async fn source(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    if !looks_like_file(&spot.value) && !names_file(&spot.route.parameter(&spot.point)) {
        return Ok(());
    }
    for name in [
        "app.py",
        "../app.py",
        "main.py",
        "../main.py",
        "index.php",
        "server.js",
        "package.json",
        "../package.json",
    ] {
        let (call, answer) = spot.attack(engine, name).await?;
        if is_source(&answer) && !is_source(&spot.base) {
            let (_, control) = spot.attack(engine, &format!("zq{name}")).await?;
            if !is_source(&control) {
                spot.report(engine, "live-path-traversal", &call, &answer, "import");
                return Ok(());
            }
        }
    }
    Ok(())
}

fn looks_like_file(value: &str) -> bool {
    value.rsplit_once('.').is_some_and(|(name, end)| {
        !name.is_empty()
            && (1..=5).contains(&end.len())
            && end.chars().all(char::is_alphanumeric)
            && !name.contains('@')
    })
}

fn names_file(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "file", "path", "page", "doc", "template", "include", "folder", "dir", "load", "read",
        "download",
    ]
    .iter()
    .any(|word| name.contains(word))
}

pub(in crate::live) fn is_source(answer: &Answer) -> bool {
    let text = answer.text.trim_start();
    let lines = text.lines().take(60);
    let python = lines
        .clone()
        .filter(|line| {
            line.starts_with("import ") || line.starts_with("from ") || line.starts_with("def ")
        })
        .count();
    let script = lines
        .filter(|line| line.contains("require(") || line.starts_with("const "))
        .count();
    !text.starts_with("<!")
        && answer.is_success()
        && (python >= 2
            || script >= 3
            || text.starts_with("<?php")
            || (text.starts_with('{') && text.contains("\"dependencies\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_the_file_is_seen_and_its_name_is_not() {
        assert!(is_version(
            "<pre>Linux version 6.1.0-9-amd64 (gcc 12) #1 SMP"
        ));
        assert!(!is_version(
            "no such file: /proc/version; Linux version unknown"
        ));
    }
}
