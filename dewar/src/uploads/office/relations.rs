//! The relationships of OOXML: what a part needs, from where (ECMA-376, part 2).

use super::target::Target;
use super::{MACROS, PROGRAM};
use crate::uploads::link;
use crate::uploads::rejection::UploadRejection;
use crate::uploads::xml::Element;

/// Looks at one `Relationship`.
///
/// # Errors
/// It names something that runs, or that a program fetches by itself.
pub(super) fn look(element: &Element) -> Result<(), UploadRejection> {
    let external = element
        .all("TargetMode")
        .any(|mode| mode.trim().eq_ignore_ascii_case("external"));
    for kind in element.all("Type") {
        let kind = kind.trim().trim_end_matches('/');
        let kind = kind.rsplit('/').next().unwrap_or_default();
        let kind = kind.to_ascii_lowercase();
        let target = |text: &str| {
            let target = Target::of(text);
            // A part, from the root of the package.
            if target == Target::Local && !external && text.starts_with(['/', '.']) {
                Target::Inside
            } else {
                target
            }
        };
        let mut targets = element.all("Target").map(target).peekable();
        if kind == "hyperlink" && element.all("Target").any(link::runs) {
            return Err(PROGRAM);
        }
        // A film on the web waits for a click, behind its first picture.
        let mut addresses = element.all("Target");
        let is_web = |address: &str| address.to_ascii_lowercase().starts_with("https://");
        if kind == "video" && external && addresses.all(is_web) {
            continue;
        }
        if targets.peek().is_none() {
            one(&kind, Target::Inside, external)?;
        }
        for target in targets {
            one(&kind, target, external)?;
        }
    }
    Ok(())
}

/// Programs need neither `TargetMode` nor a known kind to follow a target.
fn one(kind: &str, target: Target, external: bool) -> Result<(), UploadRejection> {
    match kind {
        "vbaproject" | "wordvbadata" | "attachedtoolbars" | "xlmacrosheet" | "xlintlmacrosheet"
        | "dialogsheet" => return Err(MACROS),
        "control" | "activexcontrolbinary" => return Err(PROGRAM),
        // A page or a mail that Word reads as if it were typed, with its pictures and frames.
        "afchunk" => return Err(UploadRejection::External),
        // Buttons that call a macro, in this document or in another.
        "extensibility" => return Err(MACROS),
        "oleobject" if !external && matches!(target, Target::Inside | Target::Beside) => {
            return Err(PROGRAM);
        }
        _ => {}
    }
    match (kind, target) {
        // It waits for a click.
        ("hyperlink", _) => Ok(()),
        (_, Target::Inside) => Ok(()),
        (_, Target::Network | Target::Macro) => Err(UploadRejection::External),
        // Another program's converter would put the file of its own computer into the document.
        ("image" | "frame" | "subdocument", Target::Local) => Err(UploadRejection::External),
        // A template gives styles. Excel and Word ask before they read the others.
        (_, Target::Beside | Target::Local) => Ok(()),
    }
}
