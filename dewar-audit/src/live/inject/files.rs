//! Files of the server: their content, which a name beside them does not give.

use super::Spot;
use crate::live::call::Answer;
use crate::live::engine::{Engine, Stop};
use crate::live::point::Point;

/// Whether a text has a line of `/etc/passwd`.
pub(super) fn is_passwd(text: &str) -> bool {
    text.split("root:").skip(1).any(|rest| {
        let mut parts = rest.split(':');
        parts.next().is_some_and(|password| password.len() < 8)
            && parts.next() == Some("0")
            && parts.next() == Some("0")
    })
}

fn is_windows(text: &str) -> bool {
    text.contains("[fonts]") && text.contains("[extensions]")
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
        "/etc/PW".to_owned(),
        "../../../../../../../../../../etc/PW".to_owned(),
        "....//....//....//....//....//....//etc/PW".to_owned(),
        "file:///etc/PW".to_owned(),
        "%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fPW".to_owned(),
        "..\\..\\..\\..\\..\\..\\windows\\win.ini".to_owned(),
    ];
    if let Some(end) = end {
        forms.push(format!("../../../../../../../../etc/PW\0.{end}"));
    }
    if let Some((folder, _)) = spot
        .value
        .rsplit_once('/')
        .filter(|(folder, _)| !folder.is_empty())
    {
        forms.push(format!("{folder}/../../../../../../../../etc/PW"));
    }
    for form in forms {
        let (call, answer) = spot.attack(engine, &form.replace("PW", "passwd")).await?;
        if !(is_passwd(&answer.text) || is_windows(&answer.text)) || is_passwd(&spot.base.text) {
            continue;
        }
        // A page that shows the file to every request proves nothing.
        let (_, control) = spot
            .attack(
                engine,
                &form.replace("PW", "passwe").replace("win.ini", "wim.ini"),
            )
            .await?;
        if !is_passwd(&control.text) && !is_windows(&control.text) {
            spot.report(engine, "live-path-traversal", &call, &answer, "root:");
            return Ok(());
        }
    }
    source(engine, spot).await
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
    fn a_line_of_the_file_is_seen_and_its_name_is_not() {
        assert!(is_passwd("root:x:0:0:root:/root:/bin/bash"));
        assert!(is_passwd("<pre>root:x:0:0:root"));
        assert!(!is_passwd("no such file: /etc/passwd; root: none"));
    }
}
