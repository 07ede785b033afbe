//! Files: sent, then fetched back.

use super::call::{Answer, Body, Call};
use super::compare::print;
use super::dom::{executes, read};
use super::engine::{Engine, Stop};
use super::finding::LiveFinding;
use super::inject::{again, refreshed};
use super::route::Route;
use crate::scan::Confidence;

/// Folders that uploads are often served from.
const FOLDERS: [&str; 12] = [
    "/uploads/",
    "/static/uploads/",
    "/upload/",
    "/files/",
    "/media/",
    "/static/",
    "/static/files/",
    "/static/images/",
    "/static/img/",
    "/images/",
    "/download/",
    "/downloads/",
];

pub(super) async fn run(engine: &mut Engine) -> Result<(), Stop> {
    let routes: Vec<Route> = engine
        .routes
        .iter()
        .filter(|route| matches!(&route.call.body, Body::Multipart(parts) if parts.iter().any(|part| part.file.is_some())) && route.danger.is_none())
        .cloned()
        .collect();
    for route in routes {
        let place = active(engine, &route).await?;
        if let Some(place) = place {
            name(engine, &route, &place).await?;
        }
        any_type(engine, &route).await?;
    }
    Ok(())
}

/// Sends a file under a name.
async fn send(
    engine: &mut Engine,
    route: &Route,
    file: (&str, &str),
    content: &[u8],
) -> Result<(Call, Answer), Stop> {
    let who = engine.me;
    let mut call = refreshed(engine, route, who).await?;
    if let Body::Multipart(parts) = &mut call.body {
        for part in parts.iter_mut().filter(|part| part.file.is_some()) {
            part.file = Some((file.0.to_owned(), file.1.to_owned()));
            part.content = content.to_vec();
        }
    }
    engine.announce(&call);
    let answer = engine.send(who, &call).await?;
    Ok((call, answer))
}

/// A page and a drawing with a script: whether they come back as such. The address of what comes back at all.
async fn active(engine: &mut Engine, route: &Route) -> Result<Option<String>, Stop> {
    let mut place = None;
    for (end, kind) in [
        ("html", "text/html"),
        ("svg", "image/svg+xml"),
        ("png", "image/png"),
    ] {
        let (marker, word) = (engine.marker(), engine.marker());
        let content = match end {
            "svg" => {
                format!("<svg xmlns=\"http://www.w3.org/2000/svg\"><script>{word}</script></svg>")
            }
            _ => format!("<html><body><{word} x=1></{word}></body></html>"),
        };
        let name = format!("{marker}.{end}");
        let (call, answer) = send(engine, route, (&name, kind), content.as_bytes()).await?;
        if answer.status == 0 || answer.status >= 400 {
            continue;
        }
        let Some((at, served)) = fetch(engine, route, &answer, &marker, &word, &name).await? else {
            continue;
        };
        place.get_or_insert(at.clone());
        if served.is_page() && !served.is_attachment() && executes(&served.text, &word).is_some() {
            let finding = LiveFinding::of("live-upload-active", &route.call.method, &route.pattern)
                .at("file", &file_field(route))
                .note(format!("fetched back from {at}"));
            engine.prove(finding, &call, &served, &word);
            break;
        }
    }
    Ok(place)
}

fn file_field(route: &Route) -> String {
    match &route.call.body {
        Body::Multipart(parts) => parts
            .iter()
            .find(|part| part.file.is_some())
            .map(|part| part.name.clone())
            .unwrap_or_default(),
        Body::Form(_) | Body::Json(_) | Body::None | Body::Raw(..) => String::new(),
    }
}

/// Looks for the file where the application says it is, and in usual folders.
async fn fetch(
    engine: &mut Engine,
    route: &Route,
    answer: &Answer,
    marker: &str,
    word: &str,
    name: &str,
) -> Result<Option<(String, Answer)>, Stop> {
    let who = engine.me;
    let mut targets: Vec<String> = named(engine, &route.call.path, answer, marker);
    let mut pages: Vec<String> = Vec::new();
    if answer.is_redirect() {
        pages.extend(
            engine
                .target()
                .local(&route.call.path, answer.header("location")),
        );
    }
    pages.extend(again(engine).into_iter().take(10));
    for page in pages {
        let seen = engine.send(who, &Call::get(&page)).await?;
        if seen.text.contains(word) {
            return Ok(Some((page, seen)));
        }
        targets.extend(named(engine, &page, &seen, marker));
    }
    targets.extend(FOLDERS.iter().map(|folder| format!("{folder}{name}")));
    targets.push(format!("{}/{name}", route.call.path.trim_end_matches('/')));
    targets.dedup();
    for target in targets.into_iter().take(40) {
        let served = engine.send(who, &Call::get(&target)).await?;
        if served.is_success() && served.text.contains(word) {
            return Ok(Some((target, served)));
        }
    }
    Ok(None)
}

/// Addresses in an answer that hold the file's name, and every picture and link if the name was changed.
fn named(engine: &Engine, base: &str, answer: &Answer, marker: &str) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    if let Some(json) = answer.json() {
        super::crawl::strings(&json, &mut links);
    } else if answer.is_page() {
        links.extend(read(&answer.text).links.into_iter().map(|link| link.href));
        for part in answer.text.split("src=").skip(1).take(50) {
            links.push(
                part.trim_start_matches(['"', '\''])
                    .split(['"', '\'', ' ', '>'])
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
    }
    let is_near = |link: &String| {
        link.contains(marker)
            || ["upload", "media", "file", "download", "attachment"]
                .iter()
                .any(|word| link.contains(word))
    };
    links
        .iter()
        .filter(|link| is_near(link))
        .filter_map(|link| engine.target().local(base, link))
        .take(15)
        .collect()
}

/// A name with `../`: the file is beside the folder that it belongs to.
async fn name(engine: &mut Engine, route: &Route, place: &str) -> Result<(), Stop> {
    let (word, marker) = (engine.marker(), engine.marker());
    let file = format!("{marker}.txt");
    let (call, answer) = send(
        engine,
        route,
        (&format!("../{file}"), "text/plain"),
        word.as_bytes(),
    )
    .await?;
    if answer.status == 0 || answer.status >= 400 {
        return Ok(());
    }
    let (folder, _) = place.rsplit_once('/').unwrap_or_default();
    let Some((parent, _)) = folder.rsplit_once('/') else {
        return Ok(());
    };
    let target = format!("{parent}/{file}");
    let served = engine.send(engine.me, &Call::get(&target)).await?;
    if served.is_success() && served.text.contains(&word) {
        let finding = LiveFinding::of("live-upload-name", &route.call.method, &route.pattern)
            .at("file", &file_field(route))
            .note(format!("fetched back from {target}"));
        engine.prove(finding, &call, &served, &word);
    }
    Ok(())
}

/// A program and a page are accepted like a picture, and no file is not.
async fn any_type(engine: &mut Engine, route: &Route) -> Result<(), Stop> {
    let picture = [
        0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d, b'I', b'H', b'D', b'R',
    ];
    let (good_call, good) = send(engine, route, ("zqpicture.png", "image/png"), &picture).await?;
    let (empty_call, empty) = send(engine, route, ("", "application/octet-stream"), b"").await?;
    let accepted = print(&good_call, &good);
    if good.status == 0 || good.status >= 400 || !print(&empty_call, &empty).is_other(&accepted) {
        return Ok(());
    }
    for (name, kind, content) in [
        ("zqprogram.php", "application/x-php", "<?php echo 1;"),
        ("zqpage.html", "text/html", "<script>1</script>"),
    ] {
        let (call, answer) = send(engine, route, (name, kind), content.as_bytes()).await?;
        if answer.status >= 400
            || answer.status == 0
            || print(&call, &answer).likeness(&accepted) < 90
        {
            return Ok(());
        }
        if name.ends_with("html") {
            let finding =
                LiveFinding::of("live-upload-any-type", &route.call.method, &route.pattern)
                    .at("file", &file_field(route))
                    .confidence(Confidence::Likely);
            engine.prove(finding, &call, &answer, "");
        }
    }
    Ok(())
}
