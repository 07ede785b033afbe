//! Help for the author of a form: finds forms without a CSRF token.

use crate::audit::{Finding, Practice};

/// A form of a template, from its tag to its end.
struct WrittenForm<'a> {
    line: usize,
    tag: &'a str,
    inside: &'a str,
}

/// The method of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WrittenMethod {
    Get,
    Post,
}

/// The help for a form that was sent to this path without a token: the fix, and the places of such forms in templates.
pub(super) fn help<'a>(
    method: &str,
    path: &str,
    templates: impl Iterator<Item = (&'a str, String)>,
) -> String {
    let mut places: Vec<(bool, String)> = Vec::new();
    for (name, source) in templates {
        for form in forms(&source).filter(|form| form.posts() && !form.has_token()) {
            let leads_here = form.action() == Some(path);
            places.push((leads_here, format!("{name}, line {}", form.line)));
        }
    }
    // If a form has this path as its action, the others are not meant.
    let certain = places.iter().any(|(leads_here, _)| *leads_here);
    let places = places.into_iter().filter(|(here, _)| *here || !certain);
    let places: Vec<String> = places.map(|(_, place)| place).take(5).collect();
    let places = match places.as_slice() {
        [] => "Every form in the templates has one, so a script or a hand-written page sent this request."
            .to_owned(),
        places => format!("Forms without one: {}.", places.join("; ")),
    };
    format!(
        "The form sent to {method} {path} has no CSRF token. Put {{{{ csrf_field }}}} between <form> and </form>, or \
         {{{{ form }}}}, which contains it. A script sends it in the header x-csrf-token. {places}"
    )
}

/// The findings about the forms of a template: a form that needs a CSRF token and has none, which Dewar would refuse; and
/// a form with a token that is sent by GET, which puts the typed text into the address, even a password (CWE-598).
///
/// It does not look into a macro, another template or a block, and assumes that they print the token.
pub(super) fn findings(name: &str, source: &str) -> Vec<Finding> {
    let without_token = forms(source).filter(|form| {
        form.posts() && !form.leads_elsewhere() && !form.has_token() && !form.prints_another_part()
    });
    let by_get = forms(source).filter(|form| form.method().is_none() && form.shows_a_form());
    let title =
        |form: &WrittenForm<'_>, what| format!("template {name}, line {}: {what}", form.line);
    let without_token = without_token.map(|form| {
        let title = title(&form, "a form without a CSRF token");
        Finding::warn(Practice::Csrf, "pages-template-no-token", title)
            .why(
                "Dewar refuses this form, as it refuses a form of another site.",
            )
            .fix(
                "put {{ csrf_field }} between <form> and </form>, or {{ form }}, which contains it; give a search \
                 form method=\"get\"",
            )
            .cwe(352)
    });
    let by_get = by_get.map(|form| {
        let title = title(&form, "a form without a method");
        Finding::warn(Practice::Csrf, "pages-template-form-by-get", title)
            .why("The browser sends a form without a method by GET, so the address and logs contain every field, even a password.")
            .fix("put {{ form.attributes }} into <form>, which sets the method and the type, or method=\"post\"")
            .cwe(598)
            .asvs(&["14.2.1"])
    });
    without_token.chain(by_get).collect()
}

impl WrittenForm<'_> {
    /// Whether it is sent to another site, which must not get our token.
    fn leads_elsewhere(&self) -> bool {
        let action = self.action().unwrap_or_default().trim_start();
        action.contains("://") || action.starts_with("//")
    }

    /// Whether it contains something that may print a token: a macro, an `include`, a block or the body of a call.
    fn prints_another_part(&self) -> bool {
        let printed = self.inside.split("{{").skip(1);
        let mut calls = printed.map(|rest| rest.split("}}").next().unwrap_or(rest));
        let words = ["include", "block", "call", "import"];
        let mut tags = self.inside.split("{%").skip(1);
        calls.any(|expression| {
            let name = expression.trim_start_matches([' ', '-', '\n', '\t']);
            let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c)));
            let (name, rest) = name.split_at(end.unwrap_or(name.len()));
            rest.starts_with('(') && !["account_page", "integrity", "static", "t"].contains(&name)
        }) || tags.any(|tag| {
            let tag = tag.trim_start_matches([' ', '-', '\n', '\t']);
            words.iter().any(|word| tag.starts_with(word))
        })
    }

    fn posts(&self) -> bool {
        self.method() == Some(WrittenMethod::Post)
    }

    /// The method, if its tag has one.
    fn method(&self) -> Option<WrittenMethod> {
        let tag = self.tag.to_ascii_lowercase();
        let says_get = ["\"get\"", "'get'", "=get"]
            .iter()
            .any(|get| tag.contains(get));
        // `{{ form.attributes }}` holds the method of a form of ours; a template may write it in other ways.
        let says_post = tag.contains("post") || tag.contains(".attributes");
        if says_get {
            Some(WrittenMethod::Get)
        } else if says_post || tag.contains("method") || tag.contains("{%") {
            Some(WrittenMethod::Post)
        } else {
            None
        }
    }

    /// Whether it contains `{{ form }}` or a token; then it is no search.
    fn shows_a_form(&self) -> bool {
        self.printed().any(|expression| {
            expression == "form" || expression.contains("csrf_") || expression.ends_with(".token")
        })
    }

    /// The expressions that it prints.
    fn printed(&self) -> impl Iterator<Item = &str> {
        self.inside.split("{{").skip(1).filter_map(|rest| {
            let (expression, _) = rest.split_once("}}")?;
            Some(expression.trim_matches([' ', '-', '\n', '\t']))
        })
    }

    fn action(&self) -> Option<&str> {
        let (_, after) = self.tag.split_once("action=")?;
        let quote = after.chars().next().filter(|quote| "\"'".contains(*quote));
        match quote {
            Some(quote) => after.split(quote).nth(1),
            None => after.split_ascii_whitespace().next(),
        }
    }

    /// `{{ csrf_field }}`, `{{ csrf_token }}`, `{{ form.token }}`, or a single name, which may be a whole form.
    fn has_token(&self) -> bool {
        // The form that leaves a mailing list: the sealed token in its address is the proof (RFC 8058).
        let leaves_a_list = self.inside.contains("name=\"List-Unsubscribe\"");
        leaves_a_list
            || self.printed().any(|expression| {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let alone = !expression.is_empty() && expression.chars().all(is_name);
                // `{{ buttons[note.id] }}` is one of several forms.
                let one_of_several = expression.ends_with(']');
                let token = expression.contains("csrf_") || expression.ends_with(".token");
                alone || one_of_several || token
            })
    }
}

fn forms(source: &str) -> impl Iterator<Item = WrittenForm<'_>> {
    source.match_indices("<form").map(|(at, _)| {
        let (before, rest) = source.split_at_checked(at).unwrap_or_default();
        let whole = rest.split("</form").next().unwrap_or(rest);
        let (tag, inside) = whole.split_once('>').unwrap_or((whole, ""));
        WrittenForm {
            line: before.matches('\n').count() + 1,
            tag,
            inside,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<h1>New</h1>\n<form method=\"post\" action=\"/notes\">\n<input name=title>\n</form>\n\
        <form method=post action='/bin'><button>Empty</button></form>\n\
        <form action=/search><input name=q></form>\n\
        <form method=post action=\"/a\">{{ csrf_field }}<b>{{ note.title }}</b></form>\n\
        <form {{ form.attributes }}>{{ form }}</form>";

    #[test]
    fn a_form_that_would_be_refused_is_found_before_anybody_sends_it() {
        let found = |source: &str| findings("a.html", source).len();
        let titles: Vec<_> = findings("notes/new.html", PAGE)
            .into_iter()
            .map(|finding| finding.title)
            .collect();
        assert_eq!(
            titles,
            [
                "template notes/new.html, line 2: a form without a CSRF token",
                "template notes/new.html, line 5: a form without a CSRF token"
            ]
        );
        assert_eq!(
            found(
                "<form action=/a {{ form.attributes }}>{{ form.title }}<button>Go</button></form>"
            ),
            1
        );
        assert_eq!(
            found(
                "<form method=\"post\">{{ t(\"go\") }}<img src=\"{{ static('a.svg') }}\"></form>"
            ),
            1
        );
        for whole in [
            "<form {{ form.attributes }}>{{ form.token }}{{ form.title }}</form>",
            "<form method=post>{{ buttons[note.id] }}<button>Go</button></form>",
            "<form method=post>{{ parts.fields(form) }}</form>",
            "<form method=post>{% include \"fields.html\" %}</form>",
            "<form method=post>{%- block fields %}{% endblock %}</form>",
            "<form method=post action=\"https://pay.example/\"><button>Pay</button></form>",
            "<form method=\"get\" {{ q.attributes }}>{{ q.title }}</form>",
            "<form><input name=q></form>",
        ] {
            assert_eq!(found(whole), 0, "{whole}");
        }
    }

    /// A hand-written sign-in page put the password into the address, and Dewar did not report it.
    ///
    /// ASVS: V14.2.1
    #[test]
    fn a_form_that_would_be_sent_in_the_address_is_found() {
        let found = |source: &str| {
            let found = findings("a.html", source).into_iter().map(|it| it.id);
            found.collect::<Vec<_>>()
        };
        for source in [
            "<form action=\"/sign-in\">{{ form }}<button>Go</button></form>",
            "<form>{{ csrf_field }}<input name=a></form>",
            "<form class=a>{{- form.token }}{{ form.email }}</form>",
        ] {
            assert_eq!(found(source), ["pages-template-form-by-get"], "{source}");
        }
        for source in [
            "<form action=\"/sign-in\" {{ form.attributes }}>{{ form }}</form>",
            "<form method=post>{{ form }}</form>",
            "<form method=\"{{ method }}\">{{ form }}</form>",
            "<form action=/search>{{ q }}<button>Go</button></form>",
            "<form method=get>{{ form }}</form>",
        ] {
            assert_eq!(found(source), Vec::<&str>::new(), "{source}");
        }
    }

    #[test]
    fn the_form_that_was_sent_is_named_with_its_template_and_line() {
        let said = |path: &str| {
            help(
                "POST",
                path,
                [("notes/new.html", PAGE.to_owned())].into_iter(),
            )
        };
        let text = said("/notes");
        assert!(text.contains("POST /notes has no CSRF token"), "{text}");
        assert!(text.contains("{{ csrf_field }}"), "{text}");
        assert!(
            text.ends_with("Forms without one: notes/new.html, line 2."),
            "{text}"
        );
        assert!(said("/bin").ends_with("notes/new.html, line 5."));
        let elsewhere = said("/other");
        assert!(elsewhere.ends_with("notes/new.html, line 2; notes/new.html, line 5."));
        let none = help("POST", "/x", std::iter::empty());
        assert!(none.contains("Every form in the templates has one"));
    }
}
