use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::nonce::Nonce;
use super::origin::{HttpsOrigin, not_an_origin};
use crate::audit::Finding;

/// A directive of the Content-Security-Policy that an application may widen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Directive {
    Connections,
    Fonts,
    Forms,
    FramedBy,
    Frames,
    Images,
    Scripts,
    Styles,
}

impl Directive {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connect-src",
            Self::Fonts => "font-src",
            Self::Forms => "form-action",
            Self::FramedBy => "frame-ancestors",
            Self::Frames => "frame-src",
            Self::Images => "img-src",
            Self::Scripts => "script-src",
            Self::Styles => "style-src",
        }
    }
}

/// A part of the policy that an application gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weakening {
    InlineScripts,
    InlineStyles,
    NoTrustedTypes,
}

impl Weakening {
    const fn as_str(self) -> &'static str {
        match self {
            Self::InlineScripts => "unsafe-inline scripts",
            Self::InlineStyles => "unsafe-inline styles",
            Self::NoTrustedTypes => "no trusted types",
        }
    }
}

/// What pages may load from other sites, and who may frame them, beyond the strict policy: the additions of an application and
/// of a route. Prints as in the route table.
#[derive(Debug, Clone, Default)]
pub struct ContentSources {
    added: BTreeMap<Directive, BTreeSet<HttpsOrigin>>,
    weakened: BTreeSet<Weakening>,
    findings: Vec<Finding>,
}

impl ContentSources {
    /// Whether the policy is the strict one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.weakened.is_empty()
    }

    /// Adds origins to a directive. A text that is no origin is a finding, and adds nothing.
    pub(crate) fn add(
        &mut self,
        directive: Directive,
        place: &str,
        texts: impl IntoIterator<Item = &'static str>,
    ) {
        for text in texts {
            let parsed = match directive {
                Directive::Connections => HttpsOrigin::parse_connection(text),
                Directive::Fonts
                | Directive::Forms
                | Directive::FramedBy
                | Directive::Frames
                | Directive::Images
                | Directive::Scripts
                | Directive::Styles => HttpsOrigin::parse(text),
            };
            match parsed {
                Ok(origin) => {
                    self.added.entry(directive).or_default().insert(origin);
                }
                Err(why) => self.findings.push(not_an_origin(place, text, why)),
            }
        }
    }

    /// Lets pages send files to this place in a bucket.
    pub(crate) fn send_to(&mut self, bucket: HttpsOrigin) {
        self.added
            .entry(Directive::Connections)
            .or_default()
            .insert(bucket);
    }

    pub(crate) fn weaken(&mut self, weakening: Weakening) {
        self.weakened.insert(weakening);
    }

    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// These additions and others, with the findings of the others.
    #[must_use]
    pub(crate) fn with(&self, others: &Self) -> Self {
        let mut all = self.clone();
        for (directive, origins) in &others.added {
            let known = all.added.entry(*directive).or_default();
            known.extend(origins.iter().cloned());
        }
        all.weakened.extend(&others.weakened);
        all.findings.clone_from(&others.findings);
        all
    }

    /// These additions without those that others have too.
    #[must_use]
    pub(crate) fn without(&self, others: &Self) -> Self {
        let mut rest = self.clone();
        for (directive, origins) in &mut rest.added {
            let known = others.added.get(directive);
            origins.retain(|origin| !known.is_some_and(|known| known.contains(origin)));
        }
        rest.added.retain(|_, origins| !origins.is_empty());
        rest.weakened
            .retain(|weakening| !others.weakened.contains(weakening));
        rest
    }

    fn of(&self, directive: Directive) -> String {
        let origins = self.added.get(&directive).into_iter().flatten();
        origins.map(|origin| format!(" {origin}")).collect()
    }

    /// Whether other sites may show the page in a frame.
    pub(crate) fn is_framed(&self) -> bool {
        self.has(Directive::FramedBy)
    }

    fn has(&self, directive: Directive) -> bool {
        self.added.contains_key(&directive)
    }

    /// The headers of a page with these additions, ready-made: a response adds its nonce to them.
    pub(crate) fn page_policy(&self) -> PagePolicy {
        let of = |directive| self.of(directive);
        let inline = |weakening| {
            if self.weakened.contains(&weakening) {
                " 'unsafe-inline'"
            } else {
                ""
            }
        };
        let frames = self.of(Directive::Frames);
        let frames = if frames.is_empty() {
            frames
        } else {
            format!(" frame-src{frames};")
        };
        let framed_by = self.of(Directive::FramedBy);
        let framed_by = if framed_by.is_empty() {
            " 'none'".to_owned()
        } else {
            framed_by
        };
        let trusted = if self.weakened.contains(&Weakening::NoTrustedTypes) {
            ""
        } else {
            " require-trusted-types-for 'script';"
        };
        let rest = format!(
            "; style-src 'self'{}{}; img-src 'self'{}; font-src 'self'{}; connect-src 'self'{};{frames} form-action 'self'{}; \
             base-uri 'none'; object-src 'none'; frame-ancestors{framed_by};{trusted} report-to csp; report-uri /browser-reports",
            inline(Weakening::InlineStyles),
            of(Directive::Styles),
            of(Directive::Images),
            of(Directive::Fonts),
            of(Directive::Connections),
            of(Directive::Forms),
        );
        let (before, after) = self.around_nonce(&rest);
        PagePolicy {
            before,
            after,
            is_framed: self.is_framed(),
            embedder: self.embedder(),
        }
    }

    /// The policy before and after the nonce, with the directives behind `script-src`.
    fn around_nonce(&self, rest: &str) -> (String, Option<String>) {
        let scripts = self.of(Directive::Scripts);
        // A browser ignores `'unsafe-inline'` beside a nonce.
        if self.weakened.contains(&Weakening::InlineScripts) {
            let whole =
                format!("default-src 'none'; script-src 'self' 'unsafe-inline'{scripts}{rest}");
            return (whole, None);
        }
        let before = "default-src 'none'; script-src 'nonce-".to_owned();
        (before, Some(format!("' 'strict-dynamic'{scripts}{rest}")))
    }

    /// The Cross-Origin-Embedder-Policy, where the strict one would stop what the policy allows: other sites consent to being
    /// loaded under `require-corp` with a header that few send. Under `credentialless`, browsers load without cookies. A framed
    /// document needs a policy of its own under both.
    fn embedder(&self) -> Option<HeaderValue> {
        let loads = [
            Directive::Fonts,
            Directive::Images,
            Directive::Scripts,
            Directive::Styles,
        ];
        if self.has(Directive::Frames) {
            Some(HeaderValue::from_static("unsafe-none"))
        } else if loads.into_iter().any(|directive| self.has(directive)) {
            Some(HeaderValue::from_static("credentialless"))
        } else {
            None
        }
    }
}

impl fmt::Display for ContentSources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for directive in self.added.keys() {
            write!(
                f,
                "{separator}{}{}",
                directive.as_str(),
                self.of(*directive)
            )?;
            separator = "; ";
        }
        for weakening in &self.weakened {
            write!(f, "{separator}{}", weakening.as_str())?;
            separator = "; ";
        }
        Ok(())
    }
}

impl Serialize for ContentSources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let weakened: Vec<_> = self.weakened.iter().map(|one| one.as_str()).collect();
        let mut all = serde_json::Map::new();
        for (directive, origins) in &self.added {
            let origins = origins.iter().map(HttpsOrigin::as_str);
            all.insert(directive.as_str().to_owned(), origins.collect());
        }
        if !weakened.is_empty() {
            all.insert("weakened".to_owned(), weakened.into());
        }
        all.serialize(serializer)
    }
}

/// The headers of a page that depend on the application and the route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PagePolicy {
    before: String,
    /// What follows the nonce. None for a policy without one.
    after: Option<String>,
    /// Whether other sites may frame the page. `X-Frame-Options` has no list of them.
    is_framed: bool,
    /// The Cross-Origin-Embedder-Policy, where it is not the strict one.
    embedder: Option<HeaderValue>,
}

/// An extension of a response: the policy of its route, where it has one of its own.
#[derive(Debug, Clone)]
pub(crate) struct RoutePolicy(pub(crate) Arc<PagePolicy>);

const EMBEDDER: HeaderName = HeaderName::from_static("cross-origin-embedder-policy");

impl PagePolicy {
    /// Writes the headers of one page: one allocation for the policy with its nonce, no formatting.
    pub(super) fn write(&self, headers: &mut HeaderMap, nonce: &Nonce) {
        let policy = match &self.after {
            Some(after) => [
                self.before.as_bytes(),
                nonce.as_str().as_bytes(),
                after.as_bytes(),
            ]
            .concat(),
            None => self.before.clone().into_bytes(),
        };
        // Origins and the nonce are plain ASCII; if that ever changed, no script would run.
        let policy = HeaderValue::from_maybe_shared(Bytes::from(policy))
            .unwrap_or(HeaderValue::from_static("default-src 'none'; sandbox"));
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        if self.is_framed {
            headers.remove(header::X_FRAME_OPTIONS);
        }
        if let Some(embedder) = &self.embedder {
            headers.insert(EMBEDDER, embedder.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::https::TABLE;

    fn policy(sources: &ContentSources) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert(EMBEDDER, HeaderValue::from_static("require-corp"));
        sources.page_policy().write(&mut headers, &Nonce::new());
        headers
    }

    fn csp(sources: &ContentSources) -> String {
        policy(sources)[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap()
            .to_owned()
    }

    /// `https headers` prints the table, and a page without additions gets it.
    #[test]
    fn without_additions_the_policy_is_that_of_the_table() {
        let sources = ContentSources::default();
        let PagePolicy { before, after, .. } = sources.page_policy();
        let of_table = TABLE
            .iter()
            .find(|rule| rule.name == header::CONTENT_SECURITY_POLICY);
        let wanted = of_table.unwrap().value.to_str().unwrap();
        assert_eq!(format!("{before}{{nonce}}{}", after.unwrap()), wanted);
        let headers = policy(&sources);
        assert_eq!(headers[header::X_FRAME_OPTIONS], "DENY");
        assert_eq!(headers[EMBEDDER], "require-corp");
    }

    /// ASVS: V3.4.3, V3.4.6
    #[test]
    fn an_addition_widens_its_own_directive_and_no_other() {
        let strict = csp(&ContentSources::default());
        for directive in [
            Directive::Connections,
            Directive::Fonts,
            Directive::Forms,
            Directive::FramedBy,
            Directive::Images,
            Directive::Scripts,
            Directive::Styles,
        ] {
            let mut sources = ContentSources::default();
            sources.add(directive, "here", ["https://cdn.example"]);
            let wide = csp(&sources);
            let changed: Vec<_> = wide
                .split("; ")
                .filter(|part| part.contains("cdn.example"))
                .collect();
            let [changed] = changed[..] else {
                panic!("{wide}")
            };
            assert!(changed.starts_with(directive.as_str()), "{wide}");
            assert_eq!(wide.split("; ").count(), strict.split("; ").count());
        }
        let mut sources = ContentSources::default();
        sources.add(Directive::Frames, "here", ["https://pay.example"]);
        assert!(csp(&sources).contains("; frame-src https://pay.example; form-action 'self'; "));
        assert_eq!(policy(&sources)[EMBEDDER], "unsafe-none");
        assert_eq!(policy(&sources)[header::X_FRAME_OPTIONS], "DENY");
        let mut sources = ContentSources::default();
        sources.add(Directive::FramedBy, "here", ["https://partner.example"]);
        assert!(csp(&sources).contains("frame-ancestors https://partner.example;"));
        assert!(!policy(&sources).contains_key(header::X_FRAME_OPTIONS));
        assert_eq!(policy(&sources)[EMBEDDER], "require-corp");
    }

    #[test]
    fn what_is_no_origin_is_a_finding_and_adds_nothing() {
        let mut sources = ContentSources::default();
        let wrong = [
            "*",
            "http://a.example",
            "https://a.example/x",
            "'unsafe-inline'",
            "https://a.example; script-src *",
            "data:",
        ];
        sources.add(Directive::Images, "`images_from`", wrong);
        sources.add(Directive::Images, "`images_from`", ["wss://a.example"]);
        assert_eq!(sources.findings().len(), wrong.len() + 1);
        assert!(sources.findings().iter().all(|found| found.refuses_launch));
        assert!(sources.is_empty());
        sources.add(Directive::Connections, "`connect_to`", ["wss://a.example"]);
        assert_eq!(sources.to_string(), "connect-src wss://a.example");
    }

    #[test]
    fn what_is_given_up_is_in_the_policy_and_in_the_table() {
        let mut sources = ContentSources::default();
        sources.weaken(Weakening::InlineScripts);
        sources.weaken(Weakening::NoTrustedTypes);
        let policy = csp(&sources);
        assert!(
            policy.contains("script-src 'self' 'unsafe-inline';"),
            "{policy}"
        );
        assert!(
            !policy.contains("nonce") && !policy.contains("trusted-types"),
            "{policy}"
        );
        assert_eq!(
            sources.to_string(),
            "unsafe-inline scripts; no trusted types"
        );
        let mut styles = ContentSources::default();
        styles.weaken(Weakening::InlineStyles);
        assert!(csp(&styles).contains("style-src 'self' 'unsafe-inline';"));
        let both = sources.with(&styles);
        let data = serde_json::to_value(&both).unwrap();
        assert_eq!(data["weakened"].as_array().unwrap().len(), 3);
    }
}
