//! The headers by which a browser names the origin of a request: `Sec-Fetch-Site`, `Referer` and `Origin`.

use url::{Host, Url};

/// The distance from the requesting page to the target (Fetch Metadata, `Sec-Fetch-Site`); nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Distance {
    SameOrigin,
    SameSite,
    CrossSite,
}

impl Distance {
    pub(super) fn between(from: &Url, to: &Url) -> Self {
        if from.origin() == to.origin() {
            Self::SameOrigin
        } else if from.scheme() == to.scheme() && registrable(from) == registrable(to) {
            Self::SameSite
        } else {
            Self::CrossSite
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::SameOrigin => "same-origin",
            Self::SameSite => "same-site",
            Self::CrossSite => "cross-site",
        }
    }
}

/// The page that a request comes from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) page: Url,
    /// The page's `Referrer-Policy` header; empty without one.
    pub(super) policy: String,
}

impl Origin {
    /// The `Referer` header (Referrer Policy, 8.3).
    pub(super) fn referer(&self, to: &Url) -> Option<String> {
        let same_origin = Distance::between(&self.page, to) == Distance::SameOrigin;
        let downgrade = self.page.scheme() == "https" && to.scheme() != "https";
        let origin = || Some(format!("{}/", self.page.origin().ascii_serialization()));
        let full = || Some(without_secrets(&self.page));
        match self.policy() {
            "no-referrer" => None,
            "unsafe-url" => full(),
            "origin" => origin(),
            "same-origin" => same_origin.then(full).flatten(),
            "strict-origin" => (!downgrade).then(origin).flatten(),
            "no-referrer-when-downgrade" => (!downgrade).then(full).flatten(),
            "origin-when-cross-origin" => {
                if same_origin {
                    full()
                } else {
                    origin()
                }
            }
            _ if same_origin => full(),
            _ => (!downgrade).then(origin).flatten(),
        }
    }

    /// The `Origin` header of a form post. Under `no-referrer` it is `null` even for the site's own pages (Fetch, "append
    /// a request `Origin` header"), which surprises servers that compare origins.
    pub(super) fn origin(&self, to: &Url) -> String {
        let same_origin = Distance::between(&self.page, to) == Distance::SameOrigin;
        let downgrade = self.page.scheme() == "https" && to.scheme() != "https";
        let withheld = match self.policy() {
            "no-referrer" => true,
            "same-origin" => !same_origin,
            "unsafe-url" | "origin" | "origin-when-cross-origin" => false,
            _ => downgrade,
        };
        if withheld {
            "null".to_owned()
        } else {
            self.page.origin().ascii_serialization()
        }
    }

    /// The last known policy of the list; unknown ones are skipped.
    fn policy(&self) -> &str {
        const KNOWN: [&str; 8] = [
            "no-referrer",
            "no-referrer-when-downgrade",
            "origin",
            "origin-when-cross-origin",
            "same-origin",
            "strict-origin",
            "strict-origin-when-cross-origin",
            "unsafe-url",
        ];
        let known = |policy: &&str| KNOWN.contains(policy);
        self.policy
            .rsplit(',')
            .map(str::trim)
            .find(known)
            .unwrap_or_default()
    }
}

fn without_secrets(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    // This fails only for addresses that cannot have a name and password.
    if url.set_username("").is_ok() && url.set_password(None).is_ok() {
        url.into()
    } else {
        String::new()
    }
}

/// The last two labels of a name. The public suffix list is more exact; tests use names like `evil.example`.
fn registrable(url: &Url) -> String {
    match url.host() {
        Some(Host::Domain(name)) => {
            let mut labels: Vec<&str> = name.rsplit('.').take(2).collect();
            labels.reverse();
            labels.join(".")
        }
        Some(address) => address.to_string(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_distance_counts_scheme_port_and_name() {
        let own = url("https://a.example/x");
        for (other, distance) in [
            ("https://a.example/y", Distance::SameOrigin),
            ("https://a.example:8443/", Distance::SameSite),
            ("https://b.a.example/", Distance::SameSite),
            ("http://a.example/", Distance::CrossSite),
            ("https://evil.test/", Distance::CrossSite),
        ] {
            assert_eq!(Distance::between(&own, &url(other)), distance, "{other}");
        }
    }

    #[test]
    fn the_policy_decides_what_a_page_tells_about_itself() {
        let (own, other) = ("https://a.example/y", "https://b.test/");
        for (policy, to, referer, origin) in [
            (
                "",
                own,
                Some("https://a.example/x?q=1"),
                "https://a.example",
            ),
            ("", other, Some("https://a.example/"), "https://a.example"),
            ("", "http://a.example/", None, "null"),
            ("no-referrer", own, None, "null"),
            (
                "same-origin",
                own,
                Some("https://a.example/x?q=1"),
                "https://a.example",
            ),
            ("same-origin", other, None, "null"),
            ("same-origin, made-up", other, None, "null"),
            (
                "unsafe-url",
                other,
                Some("https://a.example/x?q=1"),
                "https://a.example",
            ),
        ] {
            let page = url("https://me:secret@a.example/x?q=1#part");
            let from = Origin {
                page,
                policy: policy.to_owned(),
            };
            assert_eq!(
                from.referer(&url(to)).as_deref(),
                referer,
                "{policy} to {to}"
            );
            assert_eq!(from.origin(&url(to)), origin, "{policy} to {to}");
        }
    }
}
