//! Reads scripts: which part of one a text stands in, and which addresses it calls.

/// A token of JavaScript, as far as the audit needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Comment(String),
    Punct(char),
    /// A string or a template, without its quotes.
    Text(String),
    Word(String),
}

/// The tokens of a script. Regular expressions are read as punctuation: it is enough to find calls.
pub(super) fn tokens(script: &str) -> Vec<Token> {
    let mut all = Vec::new();
    let mut chars = script.chars().peekable();
    while let Some(next) = chars.next() {
        if all.len() > 200_000 {
            break;
        }
        match next {
            '"' | '\'' | '`' => all.push(Token::Text(string(next, &mut chars))),
            '/' if chars.peek() == Some(&'/') => {
                all.push(Token::Comment(take_while(&mut chars, |c| c != '\n')));
            }
            '/' if chars.peek() == Some(&'*') => all.push(Token::Comment(block(&mut chars))),
            c if c.is_alphanumeric() || c == '_' || c == '$' => {
                let mut word = c.to_string();
                word += &take_while(&mut chars, |c| c.is_alphanumeric() || c == '_' || c == '$');
                all.push(Token::Word(word));
            }
            c if c.is_whitespace() => {}
            c => all.push(Token::Punct(c)),
        }
    }
    all
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn take_while(chars: &mut Chars<'_>, wanted: impl Fn(char) -> bool) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next_if(|c| wanted(*c)) {
        text.push(c);
    }
    text
}

fn string(quote: char, chars: &mut Chars<'_>) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                text.push(c);
                text.extend(chars.next());
            }
            // A line ends a string that was never closed.
            '\n' if quote != '`' => break,
            c if c == quote => break,
            c => text.push(c),
        }
    }
    text
}

fn block(chars: &mut Chars<'_>) -> String {
    let mut text = String::new();
    for c in chars.by_ref() {
        text.push(c);
        if text.len() > 2 && text.ends_with("*/") {
            break;
        }
    }
    text
}

/// Whether a word of the script is the program's own, not inside a string or a comment.
pub(super) fn is_code(script: &str, word: &str) -> bool {
    tokens(script)
        .iter()
        .any(|token| matches!(token, Token::Word(known) if known == word))
}

/// A request that a script makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScriptCall {
    pub(super) method: String,
    /// The address; what is added at run time is `{}`.
    pub(super) target: String,
    /// The names of the fields of its body.
    pub(super) fields: Vec<String>,
    pub(super) is_json: bool,
}

/// The requests of a script: `fetch`, `XMLHttpRequest.open`, `$.ajax`, `$.get`, `axios`.
pub(super) fn calls(script: &str) -> Vec<ScriptCall> {
    let tokens = tokens(script);
    let mut found: Vec<ScriptCall> = Vec::new();
    for at in 0..tokens.len() {
        let rest = tokens.get(at..).unwrap_or_default();
        let window = rest.get(..rest.len().min(160)).unwrap_or_default();
        if let Some(call) = call_at(window, &tokens, at)
            && found.len() < 200
            && !found.contains(&call)
        {
            found.push(call);
        }
    }
    found
}

fn call_at(window: &[Token], all: &[Token], at: usize) -> Option<ScriptCall> {
    let Some(Token::Word(name)) = window.first() else {
        return None;
    };
    if window.get(1) != Some(&Token::Punct('(')) {
        return None;
    }
    let arguments = inside(window.get(1..)?);
    let owner = match at.checked_sub(2).and_then(|before| all.get(before)) {
        Some(Token::Word(owner)) => owner.as_str(),
        _ => "",
    };
    let after_dot =
        at.checked_sub(1).and_then(|before| all.get(before)) == Some(&Token::Punct('.'));
    match name.as_str() {
        "fetch" | "axios" | "ajax" | "request" => {
            let mut call = with_options(arguments)?;
            if call.fields.is_empty() && call.method != "GET" {
                call.fields = of_variables(arguments, all.get(..at).unwrap_or_default());
            }
            Some(call)
        }
        "open" if after_dot => {
            let method = text_at(arguments, 0)?.to_uppercase();
            let rest = arguments.get(2..)?;
            is_method(&method).then_some(())?;
            Some(plain(
                &method,
                address(rest)?,
                all_fields(all.get(at..).unwrap_or_default()),
            ))
        }
        "get" | "post" | "put" | "patch" | "delete" | "getJSON"
            if after_dot
                && matches!(owner, "axios" | "$" | "jQuery" | "http" | "api" | "client") =>
        {
            let method = if name == "getJSON" {
                "GET".to_owned()
            } else {
                name.to_uppercase()
            };
            let mut call = plain(&method, address(arguments)?, all_fields(arguments));
            call.is_json = owner != "$" && owner != "jQuery";
            Some(call)
        }
        _ => None,
    }
}

fn plain(method: &str, target: String, fields: Vec<String>) -> ScriptCall {
    ScriptCall {
        method: method.to_owned(),
        target,
        fields,
        is_json: true,
    }
}

fn is_method(text: &str) -> bool {
    matches!(text, "GET" | "POST" | "PUT" | "PATCH" | "DELETE")
}

/// `fetch(address, {method: "POST", body: …})` and `ajax({url: …, type: "POST", data: …})`.
fn with_options(arguments: &[Token]) -> Option<ScriptCall> {
    let named = |names: &[&str]| {
        let place = arguments.iter().enumerate().position(|(at, token)| {
            let is_name = matches!(token, Token::Word(word) | Token::Text(word) if names.contains(&word.as_str()));
            is_name && arguments.get(at + 1) == Some(&Token::Punct(':'))
        })?;
        arguments.get(place + 2..)
    };
    let target = match arguments.first()? {
        Token::Text(_) => address(arguments)?,
        Token::Comment(_) | Token::Punct(_) | Token::Word(_) => address(named(&["url"])?)?,
    };
    let method = named(&["method", "type"]).and_then(|rest| text_at(rest, 0));
    let method = method
        .map(str::to_uppercase)
        .filter(|method| is_method(method))
        .unwrap_or_else(|| "GET".to_owned());
    let body = named(&["body", "data"]).unwrap_or_default();
    let is_json = arguments.iter().any(|token| {
        matches!(token, Token::Word(word) if word == "JSON")
            || matches!(token, Token::Text(text) if text.contains("application/json"))
    });
    Some(ScriptCall {
        method,
        target,
        fields: all_fields(body),
        is_json,
    })
}

/// The fields of the objects that the words of a body name: `var data = {…}`.
fn of_variables(body: &[Token], before: &[Token]) -> Vec<String> {
    for word in body.iter().filter(|token| matches!(token, Token::Word(_))) {
        let place = before.iter().enumerate().rev().find(|(at, token)| {
            *token == word
                && before.get(at + 1) == Some(&Token::Punct('='))
                && before.get(at + 2) == Some(&Token::Punct('{'))
        });
        if let Some((at, _)) = place {
            let fields = all_fields(inside(before.get(at + 2..).unwrap_or_default()));
            if !fields.is_empty() {
                return fields;
            }
        }
    }
    Vec::new()
}

/// The tokens up to the bracket that closes the first one, without it.
fn inside(tokens: &[Token]) -> &[Token] {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Punct('(' | '{' | '[') => depth += 1,
            Token::Punct(')' | '}' | ']') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return tokens.get(1..at).unwrap_or_default();
                }
            }
            Token::Comment(_) | Token::Punct(_) | Token::Text(_) | Token::Word(_) => {}
        }
    }
    tokens.get(1..).unwrap_or_default()
}

fn text_at(tokens: &[Token], at: usize) -> Option<&str> {
    match tokens.get(at)? {
        Token::Text(text) => Some(text),
        Token::Comment(_) | Token::Punct(_) | Token::Word(_) => None,
    }
}

/// An address that is put together: texts stay, all else is `{}`.
fn address(tokens: &[Token]) -> Option<String> {
    let mut target = String::new();
    let mut depth = 0_usize;
    for token in tokens.iter().take(40) {
        match token {
            Token::Text(text) if depth == 0 => target += &template(text),
            Token::Punct('+') if depth == 0 => {}
            Token::Punct('(' | '[') => depth += 1,
            Token::Punct(')' | ']') if depth > 0 => depth -= 1,
            Token::Punct(',' | ';' | '}' | ')' | ']') if depth == 0 => break,
            Token::Punct('.') => {}
            Token::Word(_) if depth == 0 && !target.is_empty() && !target.ends_with("{}") => {
                target += "{}"
            }
            Token::Comment(_) | Token::Punct(_) | Token::Text(_) | Token::Word(_) => {}
        }
    }
    let looks = target.contains('/') && !target.contains([' ', '<', '\n']);
    looks.then_some(target)
}

/// `/notes/${id}` with `{}` for each value.
fn template(text: &str) -> String {
    let mut parts = text.split("${");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole += "{}";
        whole += part.split_once('}').map_or("", |(_, rest)| rest);
    }
    whole
}

/// The names before colons of the first object; and those of `append("name", …)`.
fn all_fields(tokens: &[Token]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (at, token) in tokens.iter().enumerate().take(120) {
        let next = tokens.get(at + 1);
        let name = match token {
            Token::Word(word) | Token::Text(word) if next == Some(&Token::Punct(':')) => {
                Some(word.clone())
            }
            Token::Word(word) if word == "append" => text_at(tokens, at + 2).map(str::to_owned),
            Token::Comment(_) | Token::Punct(_) | Token::Text(_) | Token::Word(_) => None,
        };
        let is_option = |name: &str| {
            matches!(
                name,
                "method"
                    | "headers"
                    | "body"
                    | "success"
                    | "error"
                    | "url"
                    | "type"
                    | "dataType"
                    | "contentType"
                    | "data"
                    | "credentials"
                    | "mode"
                    | "http"
                    | "https"
                    | "processData"
            ) || name.contains('-')
                || name.contains(' ')
        };
        if let Some(name) = name
            && !is_option(&name)
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names.truncate(20);
    names
}

/// The first place where a script writes a part of the address into the page.
pub(super) fn dom_flow(script: &str) -> Option<String> {
    const SOURCES: [&str; 6] = [
        "location.hash",
        "location.search",
        "location.href",
        "document.URL",
        "document.referrer",
        "window.name",
    ];
    const SINKS: [&str; 6] = [
        "document.write(",
        "document.writeln(",
        ".innerHTML",
        ".outerHTML",
        "eval(",
        "insertAdjacentHTML(",
    ];
    const SAFE: [&str; 4] = ["encodeURIComponent", "DOMPurify", "textContent", "parseInt"];
    let mut tainted: Vec<String> = Vec::new();
    for statement in script.split([';', '\n']).take(5000) {
        // A minified library has everything on one line.
        if statement.len() > 400 {
            continue;
        }
        if SAFE.iter().any(|safe| statement.contains(safe)) {
            continue;
        }
        let is_source = SOURCES.iter().any(|source| statement.contains(source))
            || tainted.iter().any(|name| is_code(statement, name));
        if !is_source {
            continue;
        }
        if let Some(sink) = SINKS.iter().find(|sink| statement.contains(*sink)) {
            let order = statement.find(sink)
                < SOURCES
                    .iter()
                    .filter_map(|source| statement.rfind(source))
                    .max();
            if order || tainted.iter().any(|name| is_code(statement, name)) {
                return Some(super::call::clip(statement.trim(), 200));
            }
        }
        if let Some((left, _)) = statement.split_once('=')
            && let Some(name) = left.split_whitespace().last()
            && tainted.len() < 20
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        {
            tainted.push(name.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_every_kind_are_read() {
        let script = r#"
            fetch('/api/items/' + id, {method: 'PUT', body: JSON.stringify({name: n, price: 1})});
            $.ajax({url: "/login", type: "POST", contentType: "application/json", data: JSON.stringify({user: u})});
            var x = new XMLHttpRequest(); x.open("POST", "/old");
            axios.post(`/users/${me}/notes`, {text: t});
            $.get("/search?q=" + term, show);"#;
        let all = calls(script);
        let said: Vec<String> = all
            .iter()
            .map(|call| format!("{} {} {}", call.method, call.target, call.fields.join(",")))
            .collect();
        assert!(
            said.contains(&"PUT /api/items/{} name,price".to_owned()),
            "{said:?}"
        );
        assert!(said.contains(&"POST /login user".to_owned()), "{said:?}");
        assert!(
            said.iter().any(|call| call.starts_with("POST /old")),
            "{said:?}"
        );
        assert!(
            said.contains(&"POST /users/{}/notes text".to_owned()),
            "{said:?}"
        );
        assert!(
            said.iter().any(|call| call.starts_with("GET /search?q={}")),
            "{said:?}"
        );
    }

    #[test]
    fn a_word_in_a_string_or_a_comment_is_no_code() {
        assert!(is_code("var a = ''-zq-'';", "zq"));
        for quiet in ["var a = '\\'-zq-\\'';", "// zq", "/* zq */", "`zq`"] {
            assert!(!is_code(quiet, "zq"), "{quiet}");
        }
    }

    #[test]
    fn a_part_of_the_address_in_the_page_is_seen() {
        assert!(dom_flow("document.write(location.hash.substring(1))").is_some());
        assert!(dom_flow("var h = location.hash;\nel.innerHTML = h;").is_some());
        assert!(dom_flow("el.textContent = location.hash").is_none());
        assert!(dom_flow("var h = location.hash; el.innerHTML = 'x';").is_none());
    }
}
