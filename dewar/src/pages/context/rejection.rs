use super::WithLine;
use crate::audit::{Finding, Practice};

/// Why Dewar refuses a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TemplateRejection {
    // A value where no escaping can be right.
    Animation(String),
    AttributeName,
    Comment,
    Descriptor,
    Equiv,
    Handler(String),
    Library(String),
    RawElement(String),
    Refresh,
    Srcdoc,
    TagName,
    Unquoted(String),
    // A value in an address that cannot be understood.
    AddressClosed,
    AddressElsewhere,
    AddressHost,
    AddressMixed,
    SchemeFromValue,
    // A value in a script or a style.
    ScriptKind,
    ScriptLanguage,
    ScriptNonce,
    ScriptPlace,
    ScriptText,
    StylePlace,
    // Markup that browsers read differently from how it looks.
    BrokenTag(char),
    Cdata,
    MarkupInRaw(String),
    Unfinished,
    // Parts of a template that do not fit together.
    BlockMoved(String),
    Branches(String, String),
    Ends(&'static str, String),
    Extends,
    Loop,
    NoBlock(String, Option<String>),
    Parent(String),
    Recursion,
    SelfCall(String),
    Whole(&'static str, String),
    // Ways around escaping.
    AutoEscape,
    FilterName,
    Reason,
    Reserved(String),
    Safe,
}

/// The text of a rejection: its id, the problem and the fix.
struct RejectionText {
    id: &'static str,
    what: String,
    fix: String,
}

fn message(id: &'static str, what: impl Into<String>, fix: impl Into<String>) -> RejectionText {
    RejectionText {
        id,
        what: what.into(),
        fix: fix.into(),
    }
}

fn no_block(name: &str, meant: Option<&str>) -> RejectionText {
    let fix = meant.map_or_else(
        || "Correct the name, or put the block into the parent.".to_owned(),
        |name| format!("Did you mean `{name}`?"),
    );
    let what = format!("there is no block {name:?} in the template that this one extends");
    message("pages-name-unknown", what, fix)
}

impl TemplateRejection {
    pub(super) fn finding(&self, template: &str, line: usize) -> Finding {
        let RejectionText { id, what, fix } = self.message();
        let title = format!("template {template}, line {line}: {what}");
        if matches!(self, Self::NoBlock(..)) {
            return Finding::refuse(Practice::Pages, id, title)
                .why("The page does not show the block, whatever is in it.")
                .fix(fix);
        }
        if matches!(self, Self::Parent(_)) {
            return Finding::refuse(Practice::Pages, id, title)
                .why("The page cannot be shown: only the parent says where each block stands.")
                .fix(fix);
        }
        Finding::refuse(Practice::Pages, id, title)
            .why("What somebody typed could act as part of the page there: as markup, an address or a script.")
            .fix(fix)
            .cwe(79)
            .asvs(&["1.1.2", "1.2.1", "1.2.3"])
    }

    fn message(&self) -> RejectionText {
        self.place()
            .or_else(|| self.elsewhere())
            .or_else(|| self.address())
            .or_else(|| self.script())
            .or_else(|| self.markup())
            .or_else(|| self.parts())
            .unwrap_or_else(|| self.around())
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each of these knows its own"
    )]
    fn place(&self) -> Option<RejectionText> {
        Some(match self {
            Self::Unquoted(name) => message(
                "pages-template-unquoted",
                format!("a value stands in the attribute {name} without quotes"),
                format!(
                    "write {name}=\"{{{{ … }}}}\": without quotes a space ends the value and begins an attribute"
                ),
            ),
            Self::Handler(name) => message(
                "pages-template-handler",
                format!("a value stands in the event handler {name}, which is code"),
                "put the value into a data- attribute and read it from a script file; the policy runs no handler anyway",
            ),
            Self::Library(name) => message(
                "pages-template-handler",
                format!("a value stands in the attribute {name}, which a library reads as code"),
                "put the value into a data- attribute",
            ),
            Self::TagName => message(
                "pages-template-name",
                "a value stands in the name of a tag",
                "write the names in the template and choose with {% if %}",
            ),
            Self::AttributeName => message(
                "pages-template-name",
                "a value stands where a tag has its attributes",
                "write the attribute's name and quotes in the template: title=\"{{ … }}\", {% if … %} checked{% endif %}; \
                 a form's are printed by {{ form.attributes }} in its <form>",
            ),
            _ => return None,
        })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each of these knows its own"
    )]
    fn elsewhere(&self) -> Option<RejectionText> {
        const ID: &str = "pages-template-place";
        Some(match self {
            Self::Comment => message(
                ID,
                "a value stands in an HTML comment",
                "use {# … #}, which no browser gets to see",
            ),
            Self::Srcdoc => message(
                ID,
                "a value stands in srcdoc, which is a document of its own",
                "serve the document at an address and name that in src",
            ),
            Self::Equiv => message(
                ID,
                "a value stands in http-equiv",
                "write it in the template",
            ),
            Self::Refresh => message(
                ID,
                "a value stands in the content of a <meta> with http-equiv",
                "answer with a Redirect, or set the header",
            ),
            Self::Animation(name) => message(
                ID,
                format!("a value stands in {name} of an animation, which can write any attribute"),
                "write it in the template",
            ),
            Self::RawElement(element) => message(
                ID,
                format!("a value stands in <{element}>, where nothing can be escaped"),
                "use <pre>, or serve the content at an address",
            ),
            Self::Descriptor => message(
                ID,
                "a value stands behind an address in srcset",
                "write the width in the template, or print the whole candidate as one value",
            ),
            _ => return None,
        })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each of these knows its own"
    )]
    fn address(&self) -> Option<RejectionText> {
        const ID: &str = "pages-template-address";
        Some(match self {
            Self::AddressClosed => message(
                ID,
                "a value stands in an address whose scheme is not http, https, mailto or tel, or is spelled oddly",
                "begin the address with one of these, or with a slash, and without entities",
            ),
            Self::AddressElsewhere => message(
                ID,
                "values could make this address one of another host, and the page loads it or sends a form there",
                "begin the address with a slash in the template, or print it as one value",
            ),
            Self::AddressHost => message(
                ID,
                "a value stands inside the host of an address",
                "write the slash after the host in the template: https://example.org/{{ … }}",
            ),
            Self::AddressMixed => message(
                ID,
                "a value stands in an address that has begun in some branches only, or is several",
                "print the whole address as one value, or write it out in each branch",
            ),
            Self::SchemeFromValue => message(
                ID,
                "a value and a colon make the scheme of an address",
                "write the scheme in the template",
            ),
            _ => return None,
        })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each of these knows its own"
    )]
    fn script(&self) -> Option<RejectionText> {
        const ID: &str = "pages-template-script";
        Some(match self {
            Self::ScriptText => message(
                ID,
                "a value stands between quotes in a script",
                "leave the quotes out: name = {{ … }}; prints a whole JSON value",
            ),
            Self::ScriptPlace => message(
                ID,
                "a value stands in a script where no JSON value can be put for certain",
                "put the data into <script type=\"application/json\" id=\"data\">{{ … }}</script> and read it from the script",
            ),
            Self::ScriptNonce => message(
                ID,
                "a value stands in a script without a nonce, which no browser would run",
                "write <script nonce=\"{{ nonce }}\">, or type=\"application/json\" if it is data",
            ),
            Self::ScriptLanguage => message(
                ID,
                "a value stands in a <script> whose type is neither JavaScript nor JSON",
                "use type=\"application/json\"",
            ),
            Self::ScriptKind => message(
                ID,
                "a value decides what a <script> is",
                "write the type in the template",
            ),
            Self::StylePlace => message(
                "pages-template-style",
                "a value stands in a comment or an import of a style sheet",
                "print a value as a colour, a size, a name, a text in quotes or url(\"{{ … }}\")",
            ),
            _ => return None,
        })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each of these knows its own"
    )]
    fn markup(&self) -> Option<RejectionText> {
        const ID: &str = "pages-template-markup";
        Some(match self {
            Self::BrokenTag(c) => message(
                ID,
                format!("{c:?} stands where a tag has the name of an attribute"),
                "close the quotes and the tag before it",
            ),
            Self::Cdata => message(
                ID,
                "there is a CDATA section, which HTML has not",
                "write &lt; for <",
            ),
            Self::MarkupInRaw(element) => message(
                ID,
                format!("a tag stands in <{element}>, where it is text"),
                "write &lt; for <, or close the element before it",
            ),
            Self::Unfinished => message(
                ID,
                "what stands behind {% endif %}, {% endfor %} or {% endblock %} goes on with the name of an attribute in some branches",
                "put white space between them, and an attribute's name, = and value into one branch",
            ),
            _ => return None,
        })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each of these knows its own"
    )]
    fn parts(&self) -> Option<RejectionText> {
        const ID: &str = "pages-template-parts";
        Some(match self {
            Self::Branches(one, two) => message(
                "pages-template-branches",
                format!(
                    "the branches of {{% if %}} or {{% for %}} end in different places: {one} and {two}"
                ),
                "close what a branch opens in that branch",
            ),
            Self::Loop => message(
                "pages-template-branches",
                "the body of {% for %} ends in another place than it begins in",
                "close in the body what the body opens",
            ),
            Self::Ends(what, place) => message(
                "pages-template-ends",
                format!("{what} ends inside {place}, where it did not begin"),
                "close what it opens",
            ),
            Self::Whole(what, place) => message(
                ID,
                format!("{what} stands in {place}"),
                "it prints HTML, and HTML belongs into text: print a value there, or {% set %} it first and print that",
            ),
            Self::Recursion => message(
                ID,
                "a recursive {% for %} stands in another place than text",
                "let it print whole elements",
            ),
            Self::BlockMoved(name) => message(
                ID,
                format!(
                    "block {name} stands in another place than in the template that this one extends"
                ),
                "give it a name of its own",
            ),
            Self::SelfCall(name) => message(
                ID,
                format!("{name} is printed in another place than it was written for"),
                "use a macro, or {% set %}",
            ),
            Self::Extends => message(
                ID,
                "{% extends %} is not the only one, is inside another tag, or does not name its template in quotes",
                "write one {% extends \"layout.html\" %} at the top: the parent decides in which place each block stands",
            ),
            Self::NoBlock(name, meant) => no_block(name, meant.as_deref()),
            Self::Parent(parent) => message(
                "pages-template-parent",
                format!(
                    "it extends {parent:?}, which extends this one, or whose own parent is missing"
                ),
                "correct the name, here or there",
            ),
            _ => return None,
        })
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "each of these knows its own"
    )]
    fn around(&self) -> RejectionText {
        const ID: &str = "pages-template-safe";
        match self {
            Self::Safe => message(
                ID,
                "the filter safe prints a value as it is",
                "show a CleanHtml, which needs none; or write dangerous_html(\"why no visitor can write this\"), which is reported",
            ),
            Self::AutoEscape => message(
                ID,
                "{% autoescape %} changes how values are escaped",
                "leave it out: each value is escaped for the place where it stands",
            ),
            Self::FilterName => message(
                ID,
                "the name of a filter is a value",
                "write it as a text: map(\"upper\")",
            ),
            Self::Reserved(name) => message(
                ID,
                format!("{name} is what the framework itself escapes with"),
                "leave it out",
            ),
            // The only one left; the other groups have their texts above.
            _ => message(
                "pages-template-dangerous-html",
                "dangerous_html has no reason, or stands in map()",
                "say in quotes why no visitor can write this HTML: dangerous_html(\"…\")",
            ),
        }
    }
}

/// The finding for each `dangerous_html`, for the audit.
pub(super) fn dangerous(template: &str, found: &WithLine<String>) -> Finding {
    let WithLine { line, what } = found;
    let title = format!("template {template}, line {line}: HTML is printed as it is: {what}");
    Finding::warn(Practice::Pages, "pages-template-dangerous-html", title)
        .why("If a visitor can write any of it, they can write scripts and forms into the page.")
        .fix("keep rich text as CleanHtml, which is printed without a filter; or see that the reason is still true")
        .cwe(79)
        .asvs(&["1.3.1"])
}
