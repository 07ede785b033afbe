//! Settings, secrets and choices of the source: arguments of calls, names that are assigned, comparisons.

use ruff_python_ast::name::Name;
use ruff_python_ast::{CmpOp, Expr, ExprCall};
use ruff_text_size::TextRange;

use super::calls::Args;
use super::run::Run;
use super::sources::is_secret_name;
use super::state::{Object, State};
use super::value::{ClassId, Kind, Shape, Value, class, key_of};
use crate::source::checks;

/// Words of a name that says that a value must not be guessed.
const GUESSED: &[&str] = &[
    "token",
    "secret",
    "password",
    "passwd",
    "otp",
    "nonce",
    "salt",
    "session",
    "csrf",
    "reset",
    "remember",
    "apikey",
    "api_key",
    "auth",
    "cookie",
    "credential",
    "verification",
    "confirm",
    "captcha",
    "passcode",
];

fn must_not_be_guessed(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    GUESSED.iter().any(|word| name.contains(word))
        || matches!(&*name, "pin" | "key" | "code" | "sid" | "iv")
}

/// Whether a literal can be a secret, and not an example or the name of one.
fn is_secret_text(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let placeholder = [
        "<",
        "{",
        "$",
        "example",
        "changeme-",
        "xxxx",
        "your_",
        "your-",
        "none",
        "null",
        "password",
        "secret_name",
    ];
    let plain = text.len() >= 4 && !text.contains([' ', '\n', '/']) && text.is_ascii();
    let is_name = lower.contains("_key") || lower.ends_with("password") || lower.ends_with("token");
    plain
        && !is_name
        && !placeholder
            .iter()
            .any(|part| lower.starts_with(part) || lower == *part)
}

impl<'p> Run<'p> {
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each function or method of Python that it knows"
    )]
    pub(super) fn setting_call(
        &mut self,
        path: &str,
        method: &str,
        owner: Option<&Value>,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) {
        self.hashes(path, method, args, state, node);
        self.ciphers(path, args, node);
        self.tokens(path, args, state, node);
        self.served(path, method, args, state, node);
        match method {
            ".set_cookie" => self.cookie(args, state, node),
            ".execute" | ".executemany" | ".insert_one" | ".insert" => {
                self.stored(args, state, node)
            }
            "setattr" => {
                let name = args
                    .positional
                    .get(1)
                    .map(|name| name.taints.clone())
                    .unwrap_or_default();
                self.sink(&checks::MASS, class::MASS, &name, node, state);
            }
            ".update" => {
                let is_fields = path.ends_with("__dict__.update");
                let taints = args
                    .positional
                    .first()
                    .map(|value| self.deep(state, value))
                    .unwrap_or_default();
                let spread = args
                    .double_star
                    .as_ref()
                    .map(|value| self.deep(state, value))
                    .unwrap_or_default();
                let is_model =
                    path.contains("Model") || path.contains("objects") || path.contains("query");
                if is_fields {
                    self.sink(&checks::MASS, class::MASS, &taints, node, state);
                }
                if is_model {
                    self.sink(
                        &checks::MASS,
                        class::MASS,
                        &spread.with(&taints),
                        node,
                        state,
                    );
                }
            }
            _ => {}
        }
        match path {
            "tempfile.mktemp" => self.report(&checks::TEMPFILE, node, None, String::new()),
            "ssl._create_unverified_context" => {
                self.report(&checks::TLS, node, None, String::new())
            }
            "jinja2.Environment"
                if args
                    .keyword("autoescape")
                    .is_none_or(|value| value.truth() == Some(false)) =>
            {
                self.report(&checks::AUTOESCAPE, node, None, String::new());
            }
            "os.environ.get" | "os.getenv" | "environ.get" | "decouple.config" => {
                let name = args
                    .positional
                    .first()
                    .and_then(Value::as_text)
                    .unwrap_or_default()
                    .to_owned();
                let other = args
                    .get(1, "default")
                    .and_then(Value::as_text)
                    .unwrap_or_default();
                if (is_secret_name(&name) || name.contains("SECRET_KEY")) && other.len() > 2 {
                    self.report(
                        &checks::SECRET,
                        node,
                        None,
                        format!("the default of {name}"),
                    );
                }
            }
            "json.loads" | "simplejson.loads" => {
                let taints = args
                    .positional
                    .first()
                    .map(|value| self.deep(state, value))
                    .unwrap_or_default();
                let of_cookie = taints.filter(|taint| {
                    self.origins
                        .get(taint.origin as usize)
                        .is_some_and(|origin| origin.label.starts_with("cookie"))
                });
                let signs = ["hmac", "itsdangerous", "jwt", "cryptography"];
                if !signs.iter().any(|name| self.facts.uses(name)) {
                    self.sink(&checks::UNSIGNED, class::CODE, &of_cookie, node, state);
                }
            }
            "flask.jsonify" => {
                let taints = self.all_taints(args, state);
                self.error_shown(&taints, node, state);
            }
            _ => {}
        }
        let verifies =
            args.is_false("verify") || args.is_false("verify_ssl") || args.is_false("ssl");
        let is_client = ["requests", "httpx", "aiohttp"]
            .iter()
            .any(|name| path.starts_with(name));
        if verifies && (is_client || path.starts_with('?')) && !path.contains("jwt") {
            self.report(&checks::TLS, node, None, String::new());
        }
        let _ = owner;
    }

    fn hashes(&mut self, path: &str, method: &str, args: &Args, state: &State, node: &'p ExprCall) {
        let name = match path {
            "hashlib.new" => args
                .positional
                .first()
                .and_then(Value::as_text)
                .unwrap_or_default(),
            path => match path
                .strip_prefix("hashlib.")
                .or_else(|| path.strip_prefix("Crypto.Hash."))
            {
                Some(name) => name.split(['.', '(']).next().unwrap_or_default(),
                None => path
                    .rsplit("hashes.")
                    .next()
                    .filter(|_| path.contains("hashes."))
                    .unwrap_or_default(),
            },
        };
        let name = name.to_ascii_lowercase();
        let is_fast = [
            "md5", "md4", "sha1", "sha", "sha224", "sha256", "sha384", "sha512", "sha3_256",
            "sha3_512", "blake2b", "blake2s",
        ]
        .contains(&&*name);
        if !is_fast {
            return;
        }
        let secret = self
            .all_taints(args, state)
            .filter(|taint| taint.kind == Kind::Secret);
        let named = node.arguments.args.first().is_some_and(|arg| {
            let text = self
                .source(self.module())
                .map(|module| module.text_of(arg))
                .unwrap_or_default();
            is_secret_name(&text) && !text.contains("secret")
        });
        let is_new = !path.contains("()");
        if !secret.is_empty() || (named && (is_new || method == ".update")) {
            let taint = secret.iter().next().cloned();
            self.report(&checks::PASSWORD_HASH, node, taint, name);
        } else if is_new
            && ["md5", "md4", "sha1", "sha"].contains(&&*name)
            && !args.is_false("usedforsecurity")
        {
            self.report(&checks::HASH, node, None, name);
        }
    }

    fn ciphers(&mut self, path: &str, args: &Args, node: &'p ExprCall) {
        let last = path.rsplit('.').next().unwrap_or(path);
        let is_library =
            path.contains("Crypto") || path.contains("cryptography") || path.contains("ciphers");
        let weak = [
            "DES",
            "DES3",
            "ARC4",
            "ARC2",
            "Blowfish",
            "TripleDES",
            "IDEA",
            "CAST5",
            "SEED",
        ];
        let is_weak = weak.contains(&last)
            || weak
                .iter()
                .any(|name| path.ends_with(&format!("{name}.new")));
        let is_ecb = last == "ECB"
            || args.all().any(|value| {
                value
                    .as_name()
                    .is_some_and(|name| name.ends_with("MODE_ECB"))
            });
        if is_library && (is_weak || is_ecb) {
            self.report(&checks::CIPHER, node, None, last.to_owned());
        }
    }

    fn tokens(&mut self, path: &str, args: &Args, state: &State, node: &'p ExprCall) {
        let is_decode = path == "jwt.decode" || path == "jose.jwt.decode";
        let is_encode = path == "jwt.encode" || path == "jose.jwt.encode";
        if !is_decode && !is_encode {
            return;
        }
        let option = |name: &str| {
            let options = args.get(3, "options")?;
            match self.object(state, options)? {
                Object::Map { entries, .. } => entries
                    .iter()
                    .find(|(key, _)| key == name)
                    .map(|(_, value)| value.truth()),
                _ => None,
            }
        };
        let verify = args
            .get(2, "verify")
            .is_some_and(|value| value.truth() == Some(false));
        if is_decode && (verify || option("verify_signature") == Some(Some(false))) {
            self.report(&checks::JWT_UNVERIFIED, node, None, String::new());
        }
        let algorithms: Vec<Value> = ["algorithms", "algorithm"]
            .iter()
            .filter_map(|name| args.keyword(name).cloned())
            .collect();
        let none = algorithms.iter().any(|value| {
            let items = self
                .known_items(value, state)
                .unwrap_or_else(|| vec![value.clone()]);
            items.iter().any(|item| {
                item.as_text()
                    .is_some_and(|text| text.eq_ignore_ascii_case("none"))
            })
        });
        if none {
            self.report(&checks::JWT_NONE, node, None, String::new());
        }
        let key = args.get(1, "key").and_then(Value::as_text);
        if key.is_some_and(|key| !key.is_empty() && !key.contains("BEGIN PUBLIC")) {
            self.report(&checks::JWT_KEY, node, None, String::new());
        }
    }

    /// How the application is served.
    fn served(&mut self, path: &str, method: &str, args: &Args, state: &State, node: &'p ExprCall) {
        if method == ".run"
            && (args.keyword("debug").is_some() || args.get(0, "host").is_some())
            && !path.starts_with("subprocess")
        {
            let debug = args.get(2, "debug").and_then(Value::truth) == Some(true);
            let all = args
                .get(0, "host")
                .and_then(Value::as_text)
                .is_some_and(|host| host == "0.0.0.0" || host == "::");
            match (debug, all) {
                (true, true) => self.report(&checks::DEBUG_HOST, node, None, String::new()),
                (true, false) => self.report(&checks::DEBUG, node, None, String::new()),
                (false, true) => self.report(&checks::BIND, node, None, String::new()),
                (false, false) => {}
            }
        }
        let is_any = |value: Option<&Value>| {
            value.is_some_and(|value| {
                let items = self
                    .known_items(value, state)
                    .unwrap_or_else(|| vec![value.clone()]);
                items
                    .iter()
                    .any(|item| matches!(item.as_text(), Some("*" | ".*")))
            })
        };
        let open = match path {
            "flask_cors.CORS" | "flask_cors.cross_origin" => {
                let origins = args.keyword("origins");
                is_any(origins)
                    || origins.is_none()
                        && args.keyword("resources").is_none()
                        && path.ends_with("CORS")
            }
            _ => is_any(args.keyword("allow_origins")),
        };
        if open {
            self.report(&checks::CORS, node, None, String::new());
        }
    }

    fn cookie(&mut self, args: &Args, state: &State, node: &'p ExprCall) {
        let name = args
            .get(0, "key")
            .and_then(Value::as_text)
            .unwrap_or_default()
            .to_ascii_lowercase();
        let harmless = ["lang", "locale", "theme", "consent", "timezone", "color"];
        if harmless.iter().any(|word| name.contains(word)) || args.double_star.is_some() {
            return;
        }
        let value = args.get(1, "value").cloned().unwrap_or_default();
        let is_deletion = value.as_text() == Some("")
            || args.keyword("expires").and_then(Value::as_int) == Some(0);
        if !is_deletion
            && args
                .keyword("secure")
                .is_none_or(|secure| secure.truth() == Some(false))
        {
            self.report(&checks::COOKIE, node, None, String::new());
        }
        if !is_deletion
            && args
                .keyword("httponly")
                .is_none_or(|value| value.truth() == Some(false))
        {
            self.report(&checks::COOKIE_SCRIPT, node, None, String::new());
        }
        let taints = self.deep(state, &value);
        self.sink(&checks::RANDOM, class::RANDOM, &taints, node, state);
    }

    /// A password arrives in a statement without a hash.
    fn stored(&mut self, args: &Args, state: &State, node: &'p ExprCall) {
        let taints = self.all_taints(args, state);
        self.sink(&checks::PASSWORD_PLAIN, class::SECRET, &taints, node, state);
    }

    /// A keyword of a call.
    pub(super) fn passed(&mut self, name: &str, value: &Value, expr: &'p Expr, state: &State) {
        let is_literal = matches!(expr, Expr::StringLiteral(_));
        if is_literal && is_secret_name(name) && value.as_text().is_some_and(is_secret_text) {
            self.report(&checks::SECRET, expr, None, name.to_owned());
        }
        if is_literal && matches!(name, "secret_key" | "SECRET_KEY") {
            self.report(&checks::SECRET_KEY, expr, None, String::new());
        }
        if must_not_be_guessed(name) {
            self.sink(&checks::RANDOM, class::RANDOM, &value.taints, expr, state);
        }
    }

    /// A name is assigned.
    pub(super) fn assigned(&mut self, name: &Name, value: &Value, expr: &'p Expr, state: &State) {
        let is_outside = self
            .frames
            .last()
            .is_some_and(|frame| frame.is_module || frame.class.is_some());
        let is_literal = matches!(expr, Expr::StringLiteral(_) | Expr::BytesLiteral(_));
        if is_outside && self.key_setting(name, value, expr) {
            return;
        }
        let upper = name.to_ascii_uppercase();
        let is_key = is_secret_name(name)
            || [
                "API_KEY",
                "APIKEY",
                "ACCESS_KEY",
                "PRIVATE_KEY",
                "AUTH_TOKEN",
                "JWT_KEY",
            ]
            .iter()
            .any(|word| upper.contains(word));
        let is_url = upper.ends_with("URL")
            || upper.ends_with("FIELD")
            || upper.contains("MIN_")
            || upper.contains("RESET");
        if is_literal && is_key && !is_url && value.as_text().is_some_and(is_secret_text) {
            self.report(&checks::SECRET, expr, None, name.to_string());
        }
        if must_not_be_guessed(name) {
            self.sink(&checks::RANDOM, class::RANDOM, &value.taints, expr, state);
        }
    }

    /// A setting of Flask or Django, by its name.
    fn key_setting(&mut self, name: &str, value: &Value, expr: &'p Expr) -> bool {
        match name {
            name if name.to_ascii_uppercase().contains("SECRET_KEY")
                || name == "SECURITY_PASSWORD_SALT" =>
            {
                let is_text = value.as_text().is_some_and(|text| !text.is_empty());
                let random = [
                    "os.urandom",
                    "secrets.token",
                    "uuid.uuid4",
                    "Fernet.generate_key",
                    "random.",
                ];
                let is_random = value
                    .as_name()
                    .is_some_and(|name| random.iter().any(|word| name.contains(word)));
                if is_text {
                    self.report(&checks::SECRET_KEY, expr, None, String::new());
                } else if is_random {
                    self.report(&checks::SECRET_KEY_PROCESS, expr, None, String::new());
                }
                true
            }
            "DEBUG" | "debug" if value.truth() == Some(true) => {
                self.report(&checks::DEBUG, expr, None, String::new());
                true
            }
            "SESSION_COOKIE_SECURE" | "REMEMBER_COOKIE_SECURE" if value.truth() == Some(false) => {
                self.report(&checks::COOKIE, expr, None, String::new());
                true
            }
            "SESSION_COOKIE_HTTPONLY" if value.truth() == Some(false) => {
                self.report(&checks::COOKIE_SCRIPT, expr, None, String::new());
                true
            }
            "WTF_CSRF_ENABLED" | "WTF_CSRF_CHECK_DEFAULT" if value.truth() == Some(false) => {
                self.report(&checks::CSRF_EXEMPT, expr, None, String::new());
                true
            }
            "CORS_ALLOW_ALL_ORIGINS" | "CORS_ORIGIN_ALLOW_ALL" if value.truth() == Some(true) => {
                self.report(&checks::CORS, expr, None, String::new());
                true
            }
            _ => false,
        }
    }

    pub(super) fn attribute_set(
        &mut self,
        owner: &Value,
        name: &Name,
        value: &Value,
        state: &State,
        node: &'p Expr,
        target: &'p Expr,
    ) {
        let path = owner.as_name().unwrap_or_default().to_owned();
        let is_app = path.contains("Flask") || matches!(owner.shape, Shape::Unknown);
        if is_app && matches!(name.as_str(), "secret_key" | "debug" | "SECRET_KEY") {
            self.key_setting(name, value, node);
        }
        if name == "autoescape" && value.truth() == Some(false) {
            self.report(&checks::AUTOESCAPE, target, None, String::new());
        }
        if name == "_create_default_https_context"
            || (name == "verify" || name == "check_hostname") && value.truth() == Some(false)
        {
            self.report(&checks::TLS, target, None, String::new());
        }
        if name == "verify_mode"
            && value
                .as_name()
                .is_some_and(|name| name.ends_with("CERT_NONE"))
        {
            self.report(&checks::TLS, target, None, String::new());
        }
        let is_record = match self.object(state, owner) {
            Some(Object::Instance {
                class: Some(class), ..
            }) => !self.foreign_bases(*class).is_empty(),
            Some(_) => false,
            None => true,
        };
        if is_secret_name(name) && is_record && !name.contains("hash") {
            let taints = self.deep(state, value);
            self.sink(&checks::PASSWORD_PLAIN, class::SECRET, &taints, node, state);
        }
        if must_not_be_guessed(name) {
            self.sink(&checks::RANDOM, class::RANDOM, &value.taints, node, state);
        }
    }

    pub(super) fn item_set(
        &mut self,
        owner: &Value,
        key: &Value,
        value: &Value,
        state: &State,
        (owner_node, node, target): (&'p Expr, &'p Expr, &'p Expr),
    ) {
        let path = owner.as_name().unwrap_or_default().to_owned();
        if let Some(name) = key.as_text() {
            let name = name.to_owned();
            if path.ends_with("config") || matches!(owner.shape, Shape::Unknown) {
                self.key_setting(&name, value, node);
            }
            if must_not_be_guessed(&name) {
                self.sink(&checks::RANDOM, class::RANDOM, &value.taints, node, state);
            }
        }
        let text = self
            .source(self.module())
            .map(|module| module.text_of(owner_node))
            .unwrap_or_default();
        let is_session =
            path == "flask.session" || path.ends_with("request.session") || path == "quart.session";
        if is_session {
            let taints = self.deep(state, value).with(&key.taints);
            self.sink(&checks::TRUST, class::TRUST, &taints, target, state);
        }
        if must_not_be_guessed(&text) || must_not_be_guessed(key.prefix()) {
            self.sink(&checks::RANDOM, class::RANDOM, &value.taints, node, state);
        }
        if path.ends_with(".headers") || path.contains("Response()") {
            let name = key.as_text().unwrap_or_default().to_ascii_lowercase();
            if ["content-type", "set-cookie", "access-control-allow-origin"].contains(&&*name)
                || !key.taints.is_empty()
            {
                let taints = self.deep(state, value).with(&key.taints);
                self.sink(&checks::HEADER, class::HEADER, &taints, target, state);
            }
            if name == "location" && !super::strings::fixes_host(value.prefix()) {
                self.sink(
                    &checks::REDIRECT,
                    class::REDIRECT,
                    &value.taints,
                    target,
                    state,
                );
            }
            if name == "access-control-allow-origin" && value.as_text() == Some("*") {
                self.report(&checks::CORS, target, None, String::new());
            }
        }
    }

    /// A key of a dictionary in the source.
    pub(super) fn keyed(&mut self, key: &Value, value: &Value, range: TextRange, state: &State) {
        let Some(name) = key_of(key) else {
            return;
        };
        if must_not_be_guessed(&name) {
            self.sink(&checks::RANDOM, class::RANDOM, &value.taints, &range, state);
        }
        if name == "SECRET_KEY" && value.as_text().is_some_and(|text| !text.is_empty()) {
            self.report(&checks::SECRET_KEY, &range, None, String::new());
        }
    }

    pub(super) fn compared(
        &mut self,
        left: &Value,
        right: &Value,
        op: CmpOp,
        nodes: (&'p Expr, &'p Expr),
        state: &State,
    ) {
        if !matches!(op, CmpOp::Eq | CmpOp::NotEq) {
            return;
        }
        for (one, other, other_node) in [(left, right, nodes.1), (right, left, nodes.0)] {
            let secret = one.taints.filter(|taint| taint.kind == Kind::Secret);
            if secret.is_empty()
                || self
                    .deep(state, other)
                    .iter()
                    .any(|taint| taint.kind == Kind::Secret)
            {
                continue;
            }
            let taint = secret.iter().next().cloned();
            let text = self
                .source(self.module())
                .map(|module| module.text_of(other_node))
                .unwrap_or_default();
            if other.as_text().is_some_and(|text| !text.is_empty()) {
                self.report(&checks::DEFAULT_PASSWORD, other_node, taint, String::new());
            } else if is_secret_name(&text)
                && !text.contains("hash")
                && !text.contains("confirm")
                && !text.contains('2')
            {
                self.report(&checks::PASSWORD_PLAIN, other_node, taint, String::new());
            }
        }
        let signs = |node: &Expr| {
            let text = self
                .source(self.module())
                .map(|module| module.text_of(node))
                .unwrap_or_default()
                .to_ascii_lowercase();
            ["signature", "digest", "hmac"]
                .iter()
                .any(|word| text.contains(word))
        };
        let is_outside = left
            .taints
            .iter()
            .chain(right.taints.iter())
            .any(|taint| taint.kind != Kind::Error);
        if is_outside && signs(nodes.0) && signs(nodes.1) {
            self.report(&checks::TIMING, nodes.0, None, String::new());
        }
    }

    /// An object of a class of the project is made.
    pub(super) fn constructed(
        &mut self,
        class: ClassId,
        args: &Args,
        state: &State,
        node: &'p ExprCall,
    ) {
        let foreign = self.foreign_bases(class);
        let is_model = foreign.iter().any(|base| {
            base.ends_with("Model")
                || base.ends_with("Base")
                || base.ends_with("Document")
                || base.contains("declarative")
        });
        if is_model && let Some(rest) = &args.double_star {
            let taints = self.deep(state, rest);
            self.sink(&checks::MASS, class::MASS, &taints, node, state);
        }
        for (name, value) in &args.keywords {
            if is_model && is_secret_name(name) && !name.contains("hash") {
                let taints = self.deep(state, value);
                self.sink(&checks::PASSWORD_PLAIN, class::SECRET, &taints, node, state);
            }
        }
    }
}
