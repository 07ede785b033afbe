//! The effects of functions of Python and of its libraries on values.

use std::collections::HashMap;

use ruff_python_ast::ExprCall;

use super::calls::Args;
use super::guards::proves;
use super::run::Run;
use super::state::{Object, State};
use super::value::{Classes, Kind, Piece, Shape, Taints, Value, class};

/// Functions whose result holds nothing of their arguments but a number or a yes or no.
const NUMBERS: &[&str] = &[
    "int",
    "float",
    "bool",
    "len",
    "ord",
    "hash",
    "id",
    "round",
    "abs",
    "complex",
    "callable",
    "hasattr",
    "any",
    "all",
    "isinstance",
    "issubclass",
    "range",
    "uuid.UUID",
    "decimal.Decimal",
    "datetime.datetime.strptime",
    "datetime.date.fromisoformat",
    "datetime.datetime.fromisoformat",
    "ipaddress.ip_address",
    "ipaddress.IPv4Address",
    "ipaddress.ip_network",
    "ast.literal_eval",
    "struct.unpack",
    "divmod",
    "pow",
    "sum",
    "hex",
    "bin",
    "oct",
];

/// Functions that make a value harmless for one purpose.
const SANITIZERS: &[(&str, Classes)] = &[
    ("html.escape", class::XSS),
    ("cgi.escape", class::XSS),
    ("flask.escape", class::XSS),
    ("markupsafe.escape", class::XSS),
    ("markupsafe.escape_silent", class::XSS),
    ("jinja2.escape", class::XSS),
    ("werkzeug.utils.escape", class::XSS),
    ("django.utils.html.escape", class::XSS),
    ("django.utils.html.conditional_escape", class::XSS),
    ("django.utils.html.strip_tags", class::XSS),
    ("xml.sax.saxutils.escape", class::XSS | class::XXE),
    ("xml.sax.saxutils.quoteattr", class::XSS),
    ("bleach.clean", class::XSS),
    ("bleach.linkify", class::XSS),
    ("nh3.clean", class::XSS),
    ("tornado.escape.xhtml_escape", class::XSS),
    (
        "urllib.parse.quote",
        class::XSS | class::HEADER | class::REDIRECT | class::LOG | class::ATTRIBUTE,
    ),
    (
        "urllib.parse.quote_plus",
        class::XSS | class::HEADER | class::REDIRECT | class::LOG | class::PATH | class::ATTRIBUTE,
    ),
    ("urllib.quote", class::XSS | class::HEADER | class::REDIRECT),
    (
        "urllib.parse.urlencode",
        class::XSS | class::HEADER | class::REDIRECT | class::SSRF,
    ),
    ("shlex.quote", class::COMMAND),
    ("pipes.quote", class::COMMAND),
    ("re.escape", class::REGEX),
    ("werkzeug.utils.secure_filename", class::PATH),
    ("werkzeug.secure_filename", class::PATH),
    ("flask.safe_join", class::PATH),
    ("werkzeug.utils.safe_join", class::PATH),
    ("werkzeug.security.safe_join", class::PATH),
    ("django.utils._os.safe_join", class::PATH),
    ("django.utils.text.get_valid_filename", class::PATH),
    ("os.path.basename", class::PATH),
    ("ntpath.basename", class::PATH),
    ("posixpath.basename", class::PATH),
    ("ldap.filter.escape_filter_chars", class::LDAP),
    ("ldap3.utils.conv.escape_filter_chars", class::LDAP),
    ("ldap.dn.escape_dn_chars", class::LDAP),
    ("ldap3.utils.dn.escape_rdn", class::LDAP),
    ("sqlalchemy.text", class::NONE),
    ("repr", class::LOG | class::HEADER),
    ("ascii", class::LOG | class::HEADER),
    ("json.dumps", class::LOG | class::HEADER | class::XSS),
    ("flask.json.dumps", class::LOG | class::HEADER | class::XSS),
    ("base64.b64encode", class::TEXT & !class::TRUST),
    ("base64.urlsafe_b64encode", class::TEXT & !class::TRUST),
    ("binascii.hexlify", class::TEXT & !class::TRUST),
    ("MySQLdb.escape_string", class::SQL),
    ("pymysql.converters.escape_string", class::SQL),
    ("psycopg2.sql.Identifier", class::SQL),
    ("psycopg2.sql.Literal", class::SQL),
    ("psycopg2.extensions.adapt", class::SQL),
];

/// Libraries whose functions return what they were given in another form.
const PASSING: &[&str] = &[
    "base64",
    "urllib",
    "html",
    "json",
    "codecs",
    "io",
    "string",
    "textwrap",
    "binascii",
    "zlib",
    "copy",
    "re",
    "itertools",
    "functools",
    "collections",
    "six",
    "markupsafe",
    "pathlib",
    "ntpath",
    "posixpath",
    "yaml",
    "xml",
    "lxml",
    "defusedxml",
    "pickle",
    "marshal",
    "ast",
    "simplejson",
    "ujson",
    "orjson",
    "xmltodict",
    "werkzeug",
    "gzip",
    "bz2",
    "quopri",
    "unicodedata",
    "idna",
    "email",
    "csv",
    "operator",
    "heapq",
    "array",
    "struct",
    "ftfy",
    "markdown",
    "bs4",
    "cgi",
    "urlparse",
    "furl",
    "yarl",
    "itsdangerous",
    "jsonpickle",
    "dill",
    "cloudpickle",
    "anyjson",
];

/// Functions that are built in and return what they were given.
const PASSING_BUILT_IN: &[&str] = &[
    "str",
    "dict",
    "bytes",
    "bytearray",
    "list",
    "tuple",
    "set",
    "frozenset",
    "sorted",
    "reversed",
    "repr",
    "format",
    "enumerate",
    "zip",
    "map",
    "filter",
    "iter",
    "next",
    "min",
    "max",
    "getattr",
    "vars",
    "unicode",
    "memoryview",
    "typing.cast",
    "os.path.join",
    "os.path.normpath",
    "os.path.abspath",
    "os.path.realpath",
    "os.path.expanduser",
    "os.path.dirname",
    "os.path.splitext",
    "os.fsencode",
    "os.path.relpath",
    "os.path.split",
    "os.path.expandvars",
    "flask.escape",
    "flask.make_response",
    "ascii",
    "django.utils.encoding.force_str",
    "django.utils.safestring.mark_safe",
    "flask.Markup",
    "flask.safe_join",
    "sqlalchemy.text",
    "os.fspath",
    "pipes.quote",
    "shlex.quote",
    "shlex.split",
    "shlex.join",
    "ldap.filter.escape_filter_chars",
    "bleach.clean",
    "nh3.clean",
    "ldap3.utils.conv.escape_filter_chars",
    "MySQLdb.escape_string",
    "tornado.escape.xhtml_escape",
];

/// Functions that do not return.
const ENDING: &[&str] = &[
    "flask.abort",
    "quart.abort",
    "werkzeug.exceptions.abort",
    "bottle.abort",
    "flask_restful.abort",
    "flask_smorest.abort",
    "sys.exit",
    "exit",
    "quit",
    "os._exit",
    "os.abort",
];

/// Functions that decode: what was checked before them says nothing about what they return.
const DECODING: &[&str] = &[
    "urllib.parse.unquote",
    "urllib.parse.unquote_plus",
    "urllib.unquote",
    "base64.b64decode",
    "base64.urlsafe_b64decode",
    "html.unescape",
    "binascii.unhexlify",
    "codecs.decode",
];

impl<'p> Run<'p> {
    /// A call of something that is not of the project.
    pub(super) fn library(
        &mut self,
        path: &str,
        owner: Option<&Value>,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) -> Value {
        self.facts.called(path);
        if let Some(value) = self.request_call(path, owner, args, state, node) {
            return value;
        }
        self.checked_call(path, owner, args, state, node);
        if ENDING.contains(&path) {
            state.dead = true;
            return Value::default();
        }
        if let Some(value) = self.built_in(path, args, state, node) {
            return value;
        }
        let method = path.rsplit('.').next().unwrap_or(path);
        // A method of a text that came from a library's function.
        if let Some(owner) = owner
            && !owner.taints.is_empty()
            && let Some(value) = self.text_method(owner, method, &args.positional, state)
        {
            return match (&value.shape, &owner.shape) {
                (Shape::Unknown, Shape::Name(name))
                    if value.proof.is_none() && name.ends_with("#host") =>
                {
                    Value::tainted(owner.shape.clone(), value.taints)
                }
                _ => value,
            };
        }
        if let Some(value) = self.regular(path, owner, args, state) {
            return value;
        }
        if let Some(kind) = new_taint(path) {
            let at = self.place(node);
            let label = if kind == Kind::Random {
                "random"
            } else {
                "stored"
            };
            let taints = self.taint(at, label, kind);
            return Value::tainted(
                if kind == Kind::Random {
                    Shape::Unknown
                } else {
                    Shape::Name(format!("{path}()").into())
                },
                taints,
            );
        }
        let taints = self.passed_through(path, owner, args, state);
        self.ends_with(path, taints, args)
    }

    fn ends_with(&self, path: &str, taints: Taints, args: &Args) -> Value {
        if path == "os.path.realpath"
            || path == "os.path.abspath"
            || path == "os.path.normpath"
            || path.ends_with(".resolve")
        {
            return Value::tainted(Shape::Name("pathlib.Path()#resolved".into()), taints);
        }
        if matches!(path, "str" | "os.fspath" | "bytes" | "unicode") {
            let first = args.positional.first();
            let shape = first.map_or(Shape::Unknown, |first| match &first.shape {
                Shape::Name(name) if name.contains('#') => Shape::Name(name.clone()),
                Shape::Text(_) | Shape::Unknown => first.shape.clone(),
                Shape::Int(number) => Value::text(&number.to_string()).shape,
                _ => Shape::Unknown,
            });
            if let (Shape::Text(_), Some(first)) = (&shape, first) {
                return first.clone();
            }
            return Value::tainted(shape, taints);
        }
        if matches!(path, "open" | "io.open" | "codecs.open") {
            return self.opened(path, args);
        }
        if path == "re.compile" {
            let pattern = args
                .positional
                .first()
                .and_then(Value::as_text)
                .unwrap_or_default();
            return Self::unknown_name(format!("re.compile()/{pattern}"), Taints::default());
        }
        if path.ends_with("etree.XMLParser") && args.is_false("resolve_entities") {
            return Value::name("lxml.etree.XMLParser()#safe");
        }
        if path == "os.path.join"
            && let Some(first) = args.positional.first()
            && !taints.is_empty()
        {
            let mut pieces = first.as_pieces();
            pieces.push(Piece::Literal("/".into()));
            pieces.push(Piece::Hole(taints));
            return Value::pieces(pieces);
        }
        Self::unknown_name(format!("{path}()"), taints)
    }

    /// A file that an upload named holds what was uploaded.
    fn opened(&self, path: &str, args: &Args) -> Value {
        let name = args
            .positional
            .first()
            .map(|value| value.taints.clone())
            .unwrap_or_default();
        let of_upload = name.filter(|taint| {
            let origin = self.origins.get(taint.origin as usize);
            origin.is_some_and(|origin| origin.label.starts_with("file"))
        });
        Self::unknown_name(format!("{path}()"), of_upload.soiled(class::ALL))
    }

    /// The outside values that the result has from its arguments.
    fn passed_through(
        &self,
        path: &str,
        owner: Option<&Value>,
        args: &Args,
        state: &mut State,
    ) -> Taints {
        if let Some((_, classes)) = SANITIZERS.iter().find(|(name, _)| *name == path) {
            return self.all_taints(args, state).cleaned(*classes);
        }
        if NUMBERS.contains(&path) {
            let taints = self.all_taints(args, state);
            return taints
                .cleaned(class::TEXT | class::NOSQL)
                .filter(|taint| taint.kind != Kind::Secret);
        }
        let root = path.split(['.', '(']).next().unwrap_or(path);
        let own = owner.map_or_else(Taints::default, |owner| self.deep(state, owner));
        if PASSING.contains(&root) || PASSING_BUILT_IN.contains(&path) {
            let mut taints = own.with(&self.all_taints(args, state));
            if DECODING.contains(&path) {
                // A value that can do nothing at all, such as a number, can do nothing decoded either.
                taints = taints.map(|taint| {
                    if taint.cleaned & class::TEXT != class::TEXT {
                        taint.cleaned &= !class::TEXT;
                    }
                });
            }
            if path.starts_with("json.loads") || path.ends_with("json.loads") {
                taints = taints.map(|taint| {
                    if taint.kind == Kind::Request {
                        taint.kind = Kind::Json;
                    }
                });
            }
            let is_text = matches!(path, "str" | "repr" | "bytes" | "json.dumps");
            return if is_text {
                taints.cleaned(class::NOSQL)
            } else {
                taints
            };
        }
        // A check of another part of the program saw the value.
        if !is_neutral(path) {
            for taint in self.all_taints(args, state).iter() {
                *state.cleaned.entry(taint.origin).or_default() |= class::TRUST;
            }
        }
        if is_opaque(path) {
            Taints::default()
        } else {
            own
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each function or method of Python that it knows"
    )]
    fn built_in(
        &mut self,
        path: &str,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) -> Option<Value> {
        let first = args.positional.first();
        let instance = |fields: HashMap<_, _>| Object::Instance {
            class: None,
            fields,
        };
        Some(match path {
            "flask.make_response" | "quart.make_response" => {
                let first = first?;
                let body = self
                    .known_items(first, state)
                    .and_then(|items| items.into_iter().next());
                let body = body.unwrap_or_else(|| first.clone());
                let is_json = self.object(state, &body).is_some();
                let taints = if is_json {
                    Taints::default()
                } else {
                    body.taints
                };
                Self::unknown_name(format!("{path}()"), taints)
            }
            "len" => {
                let length = first.and_then(|first| {
                    first
                        .as_text()
                        .map(|text| text.chars().count())
                        .or_else(|| self.known_items(first, state).map(|items| items.len()))
                });
                length
                    .and_then(|length| i64::try_from(length).ok())
                    .map_or_else(Value::default, |length| Shape::Int(length).into())
            }
            "int" => match first
                .and_then(Value::as_text)
                .and_then(|text| text.trim().parse().ok())
            {
                Some(number) => Shape::Int(number).into(),
                None => return None,
            },
            "io.StringIO" | "io.BytesIO" | "StringIO.StringIO" => {
                let content = first.cloned().unwrap_or_else(|| Value::text(""));
                let fields = HashMap::from([(Self::name_key("#content"), content)]);
                self.allocate(state, instance(fields))
            }
            "configparser.ConfigParser"
            | "configparser.RawConfigParser"
            | "ConfigParser.ConfigParser"
            | "configparser.SafeConfigParser"
            | "xml.sax.make_parser" => self.allocate(state, instance(HashMap::new())),
            "dict" | "collections.OrderedDict" if first.is_none() => {
                let entries = args.keywords.clone();
                let rest = args
                    .double_star
                    .as_ref()
                    .map_or_else(Value::default, |rest| self.deep(state, rest).into());
                self.allocate(
                    state,
                    Object::Map {
                        entries,
                        rest,
                        keys: Taints::default(),
                    },
                )
            }
            "list" | "tuple" | "set" | "sorted" | "reversed" | "frozenset"
            | "collections.deque" => match first {
                None => self.sequence_of(state, None),
                Some(first) => match self.object(state, first) {
                    Some(object @ Object::Sequence { .. })
                        if matches!(path, "list" | "tuple" | "collections.deque") =>
                    {
                        let object = object.clone();
                        self.allocate(state, object)
                    }
                    _ => {
                        let rest = Some(self.item_of(first, state, node));
                        self.sequence_of(state, rest)
                    }
                },
            },
            "getattr" => self.get_attribute(args, state, node)?,
            "isinstance" => {
                let kind = args.positional.get(1)?;
                match kind.as_name() {
                    Some("int" | "float" | "bool") => {
                        proves(&first?.taints, class::TEXT | class::NOSQL, true)
                    }
                    Some("str") if matches!(first?.shape, Shape::Text(_)) => {
                        Shape::Bool(true).into()
                    }
                    Some("str") => proves(&first?.taints, class::NOSQL, true),
                    Some(kind) if kind.contains("IO") => Shape::Bool(false).into(),
                    _ => Value::default(),
                }
            }
            "super" => {
                let class = self
                    .frames
                    .iter()
                    .rev()
                    .find_map(|frame| self.functions.get(frame.function?)?.class);
                let base =
                    class.and_then(|class| self.classes.get(class)?.bases.first().cloned())?;
                match base.shape {
                    Shape::Class(_) => base,
                    _ => return None,
                }
            }
            _ => return None,
        })
    }

    /// `getattr(object, name)`
    fn get_attribute(
        &mut self,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) -> Option<Value> {
        let (owner, name) = (args.positional.first()?, args.positional.get(1)?);
        match name.as_text().map(ruff_python_ast::name::Name::new) {
            Some(name) => Some(self.attribute(owner, &name, state, &node.func)),
            None if name.taints.is_empty() => Some(Value::default()),
            None => None,
        }
    }

    /// Regular expressions that check a value.
    fn regular(
        &mut self,
        path: &str,
        owner: Option<&Value>,
        args: &Args,
        state: &State,
    ) -> Option<Value> {
        let method = path.rsplit('.').next()?;
        if !matches!(method, "match" | "fullmatch" | "search" | "sub") {
            return None;
        }
        let (pattern, value) = if path.starts_with("re.") && !path.contains("compile") {
            let value = if method == "sub" {
                args.positional.get(2)?
            } else {
                args.get(1, "string")?
            };
            (args.positional.first()?.as_text()?.to_owned(), value)
        } else {
            let pattern = owner?.as_name()?.strip_prefix("re.compile()/")?.to_owned();
            (pattern, args.positional.first()?)
        };
        let taints = self.deep(state, value);
        if method == "sub" {
            let new = args.positional.get(1)?;
            let classes = if is_complement(&pattern) {
                class::TEXT
            } else {
                class::NONE
            };
            return Some(taints.cleaned(classes).with(&new.taints).into());
        }
        let is_whole = method == "fullmatch"
            || (pattern.ends_with('$') || pattern.ends_with("\\Z"))
                && (method == "match" || pattern.starts_with('^') || pattern.starts_with("\\A"));
        if is_whole && is_narrow(&pattern) {
            return Some(proves(&taints, class::TEXT | class::NOSQL, true));
        }
        Some(Value::default())
    }
}

/// Whether a pattern lets only harmless characters pass: no `.`, no complement, no quote.
fn is_narrow(pattern: &str) -> bool {
    let mut escaped = false;
    let mut in_class = false;
    for c in pattern.chars() {
        match (escaped, c) {
            (true, 'S' | 'W' | 'D' | 'n') => return false,
            (true, _) => escaped = false,
            (false, '\\') => escaped = true,
            (false, '[') => in_class = true,
            (false, ']') => in_class = false,
            (false, '.') if !in_class => return false,
            (false, '^') if in_class => return false,
            (false, '\'' | '"' | '<' | '>' | ';' | '|' | '&' | '`' | '/') if in_class => {
                return false;
            }
            _ => {}
        }
    }
    true
}

/// `[^a-z0-9]`: everything but harmless characters is removed.
fn is_complement(pattern: &str) -> bool {
    let inner = pattern
        .strip_prefix("[^")
        .and_then(|rest| rest.trim_end_matches(['+', '*']).strip_suffix(']'));
    inner.is_some_and(|inner| !inner.contains(['\'', '"', '<', '>', ';', '|', '&', '/', '.', '$']))
        || matches!(
            pattern,
            "\\W" | "\\W+" | "\\D" | "\\D+" | "[\\W]" | "[\\W]+"
        )
}

/// The kind of a value from a random number generator or a database.
fn new_taint(path: &str) -> Option<Kind> {
    let is_random = path.strip_prefix("random.").is_some_and(|rest| {
        !rest.starts_with("SystemRandom") && !matches!(rest, "seed" | "shuffle")
    });
    if is_random || path.starts_with("numpy.random.") {
        return Some(Kind::Random);
    }
    let last = path.rsplit('.').next()?;
    let is_query = path.contains("query")
        || path.contains("objects")
        || path.contains("session")
        || path.contains("execute")
        || path.starts_with('?');
    match last {
        "recv" | "recvfrom" => Some(Kind::Request),
        "fetchall" | "fetchone" | "fetchmany" | "find_one" => Some(Kind::Stored),
        "all" | "first" | "one" | "first_or_404" | "get_or_404" | "scalars" | "one_or_none"
            if is_query && path.len() < 120 =>
        {
            Some(Kind::Stored)
        }
        _ => None,
    }
}

/// Functions that look at a value without a decision.
fn is_neutral(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    matches!(
        last,
        "print"
            | "debug"
            | "info"
            | "warning"
            | "error"
            | "log"
            | "flash"
            | "append"
            | "write"
            | "set"
            | "len"
    ) || matches!(
        path,
        "flask.render_template" | "flask.jsonify" | "type" | "isinstance"
    )
}

/// Methods whose result is something else than their object: a query's rows, a process's output.
fn is_opaque(path: &str) -> bool {
    const WORDS: [&str; 10] = [
        "execute",
        "query",
        "subprocess",
        "requests.",
        "httpx.",
        "hashlib.",
        "open()",
        "sqlite3",
        "objects.",
        "session.",
    ];
    WORDS.iter().any(|word| path.contains(word))
}
