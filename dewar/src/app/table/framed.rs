use super::RouteEntry;
use crate::audit::{Finding, Practice};
use crate::https::ContentSources;
use crate::roles::Access;

/// A page that other sites may frame, and that is more than one to read for everybody.
pub(super) fn framed(entry: &RouteEntry, app: &ContentSources) -> Option<Finding> {
    let acts = entry.method != "GET" || entry.takes.recently;
    let is_exposed = acts || !matches!(entry.access, Access::Public);
    let by = if app.is_framed() {
        "`App::may_be_framed_by`"
    } else {
        "`may_be_framed_by`"
    };
    ((app.is_framed() || entry.takes.content.is_framed()) && is_exposed).then(|| {
        let title = format!(
            "{} {} may be framed by other sites by {by}, and is no public page to read",
            entry.method, entry.path
        );
        Finding::warn(Practice::Https, "https-framed-page", title)
            .why("a site of the same domain frames it with its visitor signed in, and leads clicks onto it (CWE-1021)")
            .fix("let other sites frame a `GET` under `public` alone, which shows no button")
            .cwe(1021)
            .asvs(&["3.4.6"])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::Described;
    use crate::https::Directive;
    use crate::pages::Outputs;

    fn entry(method: &str, access: Access) -> RouteEntry {
        RouteEntry {
            method: method.to_owned(),
            path: "/a",
            access,
            cors: None,
            rate_limits: Vec::new(),
            also: None,
            takes: Described::default(),
            gives: Outputs::default(),
        }
    }

    /// ASVS: V3.4.6
    #[test]
    fn a_page_that_others_may_frame_is_public_and_read() {
        use Access::{Public, Role, SignedIn};
        let mut framing = ContentSources::default();
        framing.add(Directive::FramedBy, "here", ["https://partner.example"]);
        let none = ContentSources::default();
        let mut recently = entry("GET", Public);
        recently.takes.recently = true;
        for (mut one, is_found) in [
            (entry("GET", Public), false),
            (entry("GET", SignedIn), true),
            (entry("GET", Role("editor")), true),
            (entry("POST", Public), true),
            (recently, true),
        ] {
            assert!(framed(&one, &none).is_none());
            assert_eq!(framed(&one, &framing).is_some(), is_found);
            one.takes.content = framing.clone();
            assert_eq!(framed(&one, &none).is_some(), is_found);
        }
    }
}
