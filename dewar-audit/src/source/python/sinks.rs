//! Where a value does harm.

use ruff_python_ast::ExprCall;

use super::calls::Args;
use super::run::Run;
use super::state::{Object, State};
use super::strings::fixes_host;
use super::value::{Classes, Kind, Shape, Taints, Value, class};
use crate::scan::ScanCheck;
use crate::source::checks;

/// A function that does harm with an argument.
struct Sink {
    /// Its dotted name, or `.method` of any object.
    names: &'static [&'static str],
    harm: Classes,
    check: &'static ScanCheck,
    /// The place and name of the argument.
    argument: (usize, &'static str),
}

static SINKS: &[Sink] = &[
    Sink {
        names: &[
            ".execute",
            ".executemany",
            ".executescript",
            ".raw",
            ".mogrify",
            ".from_statement",
            ".read_sql",
            ".read_sql_query",
            ".exec_driver_sql",
            ".execute_sql",
        ],
        harm: class::SQL,
        check: &checks::SQL,
        argument: (0, "statement"),
    },
    Sink {
        names: &[
            "sqlalchemy.text",
            "sqlalchemy.sql.text",
            "sqlalchemy.sql.expression.text",
            "flask_sqlalchemy.text",
            "django.db.models.expressions.RawSQL",
            "flask_sqlalchemy.SQLAlchemy().text",
            "db.text",
            ".db.text",
        ],
        harm: class::SQL,
        check: &checks::SQL,
        argument: (0, "text"),
    },
    Sink {
        names: &[
            "os.system",
            "os.popen",
            "os.popen2",
            "os.popen3",
            "commands.getoutput",
            "commands.getstatusoutput",
            "subprocess.getoutput",
            "subprocess.getstatusoutput",
            "asyncio.create_subprocess_shell",
            ".exec_command",
            "popen2.popen2",
            "pexpect.spawn",
            "pexpect.run",
            "os.execl",
            "os.execv",
            "os.execlp",
            "os.execvp",
            "os.spawnl",
            "os.spawnlp",
            "os.startfile",
            "fabric.api.run",
            "invoke.run",
        ],
        harm: class::COMMAND,
        check: &checks::COMMAND,
        argument: (0, "command"),
    },
    Sink {
        names: &[
            "eval",
            "exec",
            "compile",
            "execfile",
            "builtins.eval",
            "builtins.exec",
            "code.interact",
            "runpy.run_path",
            "timeit.timeit",
            "numexpr.evaluate",
            "pandas.eval",
        ],
        harm: class::CODE,
        check: &checks::CODE,
        argument: (0, "source"),
    },
    Sink {
        names: &["__import__", "importlib.import_module"],
        harm: class::REFLECTION,
        check: &checks::REFLECTION,
        argument: (0, "name"),
    },
    Sink {
        names: &[
            "pickle.loads",
            "pickle.load",
            "cPickle.loads",
            "cPickle.load",
            "_pickle.loads",
            "dill.loads",
            "dill.load",
            "cloudpickle.loads",
            "cloudpickle.load",
            "marshal.loads",
            "marshal.load",
            "jsonpickle.decode",
            "jsonpickle.loads",
            "shelve.open",
            "yaml.unsafe_load",
            "yaml.unsafe_load_all",
            "pickle.Unpickler",
            "joblib.load",
            "torch.load",
            "pandas.read_pickle",
            "numpy.load#",
            "ruamel.yaml.load",
        ],
        harm: class::DESERIALIZE,
        check: &checks::DESERIALIZE,
        argument: (0, "data"),
    },
    Sink {
        names: &[
            "flask.render_template_string",
            "flask.templating.render_template_string",
            "quart.render_template_string",
            "jinja2.Template",
            "jinja2.environment.Template",
            ".from_string",
            "mako.template.Template",
            "tornado.template.Template",
            "django.template.Template",
            "chameleon.PageTemplate",
            "bottle.template",
            "bottle.SimpleTemplate",
            "Cheetah.Template.Template",
        ],
        harm: class::TEMPLATE,
        check: &checks::TEMPLATE,
        argument: (0, "source"),
    },
    Sink {
        names: &[
            "flask.Markup",
            "markupsafe.Markup",
            "jinja2.Markup",
            "jinja2.utils.markupsafe.Markup",
            "django.utils.safestring.mark_safe",
            "django.utils.html.mark_safe",
        ],
        harm: class::XSS,
        check: &checks::XSS,
        argument: (0, "base"),
    },
    Sink {
        names: &[
            "django.http.HttpResponse",
            "django.http.response.HttpResponse",
            "fastapi.responses.HTMLResponse",
            "starlette.responses.HTMLResponse",
            ".wfile.write",
            "sanic.response.html",
            "django.http.HttpResponseBadRequest",
            "django.http.HttpResponseNotFound",
        ],
        harm: class::XSS,
        check: &checks::XSS,
        argument: (0, "content"),
    },
    Sink {
        names: &[
            "open",
            "io.open",
            "codecs.open",
            "os.open",
            "os.remove",
            "os.unlink",
            "os.rmdir",
            "os.mkdir",
            "os.makedirs",
            "os.rename",
            "os.listdir",
            "os.scandir",
            "os.chmod",
            "os.path.exists",
            "os.path.isfile",
            "os.path.getsize",
            "os.stat",
            "os.walk",
            "shutil.copy",
            "shutil.copyfile",
            "shutil.move",
            "shutil.rmtree",
            "shutil.copytree",
            "flask.send_file",
            "flask.helpers.send_file",
            "quart.send_file",
            "zipfile.ZipFile",
            "tarfile.open",
            "tarfile.TarFile",
            "fileinput.input",
            "aiofiles.open",
            "fastapi.responses.FileResponse",
            "starlette.responses.FileResponse",
            "aiohttp.web.FileResponse",
            "django.http.FileResponse#",
            "linecache.getlines",
            "flask.send_from_directory",
            "flask.helpers.send_from_directory",
            "numpy.loadtxt",
            "pandas.read_csv",
            "gzip.open",
            "bz2.open",
            "logging.FileHandler",
            "file",
            "bottle.static_file#",
        ],
        harm: class::PATH,
        check: &checks::PATH,
        argument: (0, "path"),
    },
    Sink {
        names: &[
            "os.rename",
            "shutil.copy",
            "shutil.copyfile",
            "shutil.move",
            "os.symlink",
            "os.link",
        ],
        harm: class::PATH,
        check: &checks::PATH,
        argument: (1, "dst"),
    },
    Sink {
        names: &[
            "flask.redirect",
            "flask.helpers.redirect",
            "quart.redirect",
            "werkzeug.utils.redirect",
            "django.shortcuts.redirect",
            "django.http.HttpResponseRedirect",
            "django.http.HttpResponsePermanentRedirect",
            "fastapi.responses.RedirectResponse",
            "starlette.responses.RedirectResponse",
            "aiohttp.web.HTTPFound",
            "aiohttp.web.HTTPSeeOther",
            "aiohttp.web.HTTPMovedPermanently",
            "bottle.redirect",
            "sanic.response.redirect",
            "pyramid.httpexceptions.HTTPFound",
            "falcon.HTTPFound",
        ],
        harm: class::REDIRECT,
        check: &checks::REDIRECT,
        argument: (0, "location"),
    },
    Sink {
        names: &[
            "urllib.request.urlopen",
            "urllib.request.urlretrieve",
            "urllib.urlopen",
            "urllib2.urlopen",
            "urllib.request.Request",
            "urllib2.Request",
            "http.client.HTTPConnection",
            "http.client.HTTPSConnection",
            "httplib.HTTPConnection",
            "urllib3.request",
            "socket.create_connection",
            "pycurl.Curl().setopt",
            "requests.get",
            "requests.post",
            "requests.put",
            "requests.patch",
            "requests.delete",
            "requests.head",
            "requests.options",
            "httpx.get",
            "httpx.post",
            "httpx.put",
            "httpx.delete",
            "httpx.head",
            "httpx.stream",
            "wget.download",
            "ftplib.FTP",
            "smtplib.SMTP#",
            "feedparser.parse",
            "paramiko.SSHClient().connect",
            "urllib.URLopener().open",
        ],
        harm: class::SSRF,
        check: &checks::SSRF,
        argument: (0, "url"),
    },
    Sink {
        names: &[
            "requests.request",
            "httpx.request",
            "urllib3.PoolManager().request",
            "requests.Session().request",
            "aiohttp.ClientSession().request",
        ],
        harm: class::SSRF,
        check: &checks::SSRF,
        argument: (1, "url"),
    },
    Sink {
        names: &[
            ".xpath",
            "lxml.etree.XPath",
            "lxml.etree.XPath().evaluate",
            "lxml.etree.ETXPath",
        ],
        harm: class::XPATH,
        check: &checks::XPATH,
        argument: (0, "path"),
    },
    Sink {
        names: &[
            "elementpath.select",
            "elementpath.iter_select",
            "elementpath.Selector#",
        ],
        harm: class::XPATH,
        check: &checks::XPATH,
        argument: (1, "path"),
    },
    Sink {
        names: &[
            "re.compile",
            "re.match",
            "re.search",
            "re.fullmatch",
            "re.sub",
            "re.split",
            "re.findall",
            "re.finditer",
            "regex.match",
            "regex.search",
            "regex.compile",
        ],
        harm: class::REGEX,
        check: &checks::REGEX,
        argument: (0, "pattern"),
    },
    Sink {
        names: &[".send_header"],
        harm: class::HEADER,
        check: &checks::HEADER,
        argument: (1, "value"),
    },
];

impl<'p> Run<'p> {
    /// Looks at a call of a library: values that do harm, and settings.
    pub(super) fn checked_call(
        &mut self,
        path: &str,
        owner: Option<&Value>,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) {
        let method = path
            .rfind('.')
            .and_then(|at| path.get(at..))
            .unwrap_or(path);
        for sink in SINKS {
            let fits =
                |name: &&str| *name == path || (name.starts_with('.') && path.ends_with(*name));
            if !sink.names.iter().any(fits) {
                continue;
            }
            let (index, name) = sink.argument;
            if let Some(value) = args.get(index, name).or_else(|| args.get(index, "sql")) {
                let value = value.clone();
                self.harm(sink.harm, sink.check, &value, state, node);
            }
        }
        self.command(path, args, state, node);
        self.parsers(path, args, state, node);
        self.directory(path, method, args, state, node);
        self.methods(path, method, owner, args, state, node);
        self.responses(path, args, state, node);
        self.rendered(path, args, state, node);
        self.rendered_text(path, args, state, node);
        self.setting_call(path, method, owner, args, state, node);
    }

    pub(super) fn harm(
        &mut self,
        harm: Classes,
        check: &'static ScanCheck,
        value: &Value,
        state: &mut State,
        node: &'p ExprCall,
    ) {
        let fixed = matches!(harm, class::REDIRECT | class::SSRF) && fixes_host(value.prefix());
        let taints = self.deep(state, value);
        if !fixed && self.sink(check, harm, &taints, node, state) {
            // Reported once: the same value does not do the same harm again on the next line.
        }
        if harm == class::SQL {
            self.facts.queried = true;
        }
    }

    fn command(&mut self, path: &str, args: &Args, state: &mut State, node: &'p ExprCall) {
        let is_process = matches!(
            path,
            "subprocess.run"
                | "subprocess.call"
                | "subprocess.check_call"
                | "subprocess.check_output"
                | "subprocess.Popen"
                | "asyncio.create_subprocess_exec"
                | "sh.Command"
                | "gevent.subprocess.Popen"
        );
        let Some(first) = args.get(0, "args").filter(|_| is_process).cloned() else {
            return;
        };
        let shell = args
            .keyword("shell")
            .is_some_and(|shell| shell.truth() != Some(false));
        let taints = if shell {
            self.deep(state, &first)
        } else {
            match self.object(state, &first) {
                Some(Object::Sequence { items, rest }) => {
                    let name = items
                        .first()
                        .map_or("", |item| item.as_text().unwrap_or(""));
                    let name = name.rsplit('/').next().unwrap_or(name);
                    let shells = [
                        "sh",
                        "bash",
                        "zsh",
                        "dash",
                        "cmd",
                        "cmd.exe",
                        "powershell",
                        "python",
                        "python3",
                        "perl",
                        "env",
                        "su",
                        "ssh",
                        "xargs",
                    ];
                    let unknown = items.first().is_none_or(|item| item.as_text().is_none());
                    let option = items.get(1).map_or("", |item| item.as_text().unwrap_or(""));
                    let is_shell = unknown && matches!(option, "-c" | "/c" | "/C");
                    if shells.contains(&name) || is_shell || (unknown && rest.is_some()) {
                        self.deep(state, &first)
                    } else {
                        items
                            .first()
                            .map_or_else(Taints::default, |item| item.taints.clone())
                    }
                }
                _ => first.taints.clone(),
            }
        };
        self.sink(&checks::COMMAND, class::COMMAND, &taints, node, state);
    }

    /// YAML and XML: what the parser was told decides.
    fn parsers(&mut self, path: &str, args: &Args, state: &mut State, node: &'p ExprCall) {
        let Some(first) = args.positional.first().cloned() else {
            return;
        };
        let taints = self.deep(state, &first);
        if matches!(path, "yaml.load" | "yaml.load_all") {
            let loader = args
                .get(1, "Loader")
                .and_then(Value::as_name)
                .unwrap_or("yaml.Loader");
            if !loader.contains("Safe")
                && !loader.contains("BaseLoader")
                && !loader.contains("FullLoader")
            {
                self.sink(
                    &checks::DESERIALIZE,
                    class::DESERIALIZE,
                    &taints,
                    node,
                    state,
                );
            }
            return;
        }
        let parser = args.get(1, "parser");
        let is_open = match path {
            "lxml.etree.parse"
            | "lxml.etree.fromstring"
            | "lxml.etree.XML"
            | "lxml.objectify.fromstring"
            | "lxml.objectify.parse"
            | "lxml.etree.iterparse" => match parser {
                None => true,
                Some(parser) => !parser
                    .as_name()
                    .is_some_and(|name| name.contains("#safe") || name.contains("HTMLParser")),
            },
            "xml.sax.parseString"
            | "xml.sax.parse"
            | "xml.dom.minidom.parseString"
            | "xml.dom.minidom.parse"
            | "xml.dom.pulldom.parseString"
            | "xml.dom.pulldom.parse" => {
                let last = args.positional.last();
                let key = Self::name_key("xml.sax.handler.feature_external_ges");
                last.and_then(|parser| self.object(state, parser))
                    .is_some_and(|parser| match parser {
                        Object::Instance { fields, .. } => fields
                            .get(&key)
                            .is_some_and(|value| value.truth() != Some(false)),
                        _ => false,
                    })
            }
            "xmltodict.parse" => false,
            _ => return,
        };
        if is_open {
            self.sink(&checks::XXE, class::XXE, &taints, node, state);
        }
    }

    /// LDAP, and filters of a document database.
    fn directory(
        &mut self,
        path: &str,
        method: &str,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) {
        let is_search = matches!(
            method,
            ".search" | ".search_s" | ".search_ext" | ".search_ext_s" | ".search_st"
        );
        if is_search
            && (path.contains("ldap") || self.facts.uses("ldap"))
            && !path.starts_with("re.")
        {
            let filter = match method {
                ".search" => args.get(1, "search_filter"),
                _ => args.get(2, "filterstr"),
            };
            for value in [filter, args.get(0, "search_base")].into_iter().flatten() {
                let taints = self.deep(state, value);
                self.sink(&checks::LDAP, class::LDAP, &taints, node, state);
            }
        }
        let is_find = matches!(
            method,
            ".find"
                | ".find_one"
                | ".update_one"
                | ".delete_one"
                | ".find_one_and_update"
                | ".delete_many"
                | ".count_documents"
        );
        if is_find
            && (self.facts.uses("pymongo")
                || self.facts.uses("flask_pymongo")
                || self.facts.uses("motor"))
            && let Some(filter) = args.positional.first()
        {
            let taints = self.json_taints(filter, state);
            self.sink(&checks::NOSQL, class::NOSQL, &taints, node, state);
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each method of a library that it knows"
    )]
    fn methods(
        &mut self,
        path: &str,
        method: &str,
        owner: Option<&Value>,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) {
        let first = args.positional.first().cloned();
        let own = owner.map_or_else(Taints::default, |owner| owner.taints.clone());
        match method {
            ".read_text" | ".read_bytes" | ".write_text" | ".write_bytes" | ".open" | ".exists"
            | ".unlink" | ".iterdir" | ".is_file" | ".mkdir" | ".rmdir"
                if path.starts_with("pathlib")
                    || path.contains("Path(")
                    || path.contains("#resolved") =>
            {
                self.sink(&checks::PATH, class::PATH, &own, node, state);
            }
            ".glob" | ".rglob" => {
                if let Some(first) = &first {
                    self.sink(&checks::PATH, class::PATH, &first.taints, node, state);
                }
            }
            ".save" => {
                if let Some(first) = &first {
                    let taints = self.deep(state, first);
                    self.upload(&taints, state, node);
                }
            }
            ".filter" | ".where" | ".order_by" | ".having" | ".extra" | ".filter_by" => {
                if let Some(first) = first
                    .filter(|first| matches!(first.shape, Shape::Text(_)))
                    .filter(|first| first.as_pieces().len() > 1 || method == ".extra")
                {
                    self.sink(&checks::SQL, class::SQL, &first.taints, node, state);
                }
                if method == ".extra" {
                    let taints = self.all_taints(args, state);
                    self.sink(&checks::SQL, class::SQL, &taints, node, state);
                }
            }
            ".format" | ".format_map" if owner.is_some_and(|owner| owner.as_text().is_none()) => {
                let own = match owner.map(|owner| &owner.shape) {
                    // Only the first piece is the format of the author; a hole in it is the visitor's.
                    Some(Shape::Text(_) | Shape::Unknown) => own,
                    _ => Taints::default(),
                };
                self.sink(&checks::FORMAT, class::FORMAT, &own, node, state);
            }
            ".get" | ".post" | ".put" | ".delete" | ".head" | ".patch"
                if path.contains("requests.Session")
                    || path.contains("requests.session")
                    || path.contains("httpx.")
                    || path.contains("ClientSession(") =>
            {
                if let Some(first) = &first
                    && !fixes_host(first.prefix())
                {
                    self.sink(&checks::SSRF, class::SSRF, &first.taints, node, state);
                }
            }
            ".extractall" | ".extract"
                if path.contains("tarfile")
                    || path.contains("TarFile")
                    || path.contains("zipfile") =>
            {
                self.archive(path, args, node);
            }
            _ => {}
        }
        self.logged(path, method, args, state, node);
    }

    fn archive(&mut self, path: &str, args: &Args, node: &'p ExprCall) {
        let is_zip = path.contains("zipfile");
        let filtered = args.keyword("filter").is_some() || args.keyword("members").is_some();
        // zipfile removes `..` by itself.
        if !is_zip && !filtered && self.route_or_function() {
            self.report(&checks::ARCHIVE, node, None, String::new());
        }
    }

    fn route_or_function(&self) -> bool {
        self.frames.iter().any(|frame| frame.function.is_some())
    }

    /// The name of an upload becomes a path.
    pub(super) fn upload(&mut self, taints: &Taints, state: &mut State, node: &'p ExprCall) {
        let is_file = |origin: u32| {
            self.origins
                .get(origin as usize)
                .is_some_and(|origin| origin.label.starts_with("file"))
        };
        let of_file = taints.filter(|taint| is_file(taint.origin));
        let others = taints.filter(|taint| !is_file(taint.origin));
        self.sink(&checks::UPLOAD, class::PATH, &of_file, node, state);
        self.sink(&checks::PATH, class::PATH, &others, node, state);
        if !of_file.is_empty() {
            let unchecked = of_file.filter(|taint| {
                let known = state
                    .cleaned
                    .get(&taint.origin)
                    .copied()
                    .unwrap_or(class::NONE);
                (taint.cleaned | known) & class::UPLOAD == 0
            });
            if !unchecked.is_empty() {
                let taint = unchecked.iter().next().cloned();
                self.report(&checks::UPLOAD_TYPE, node, taint, String::new());
            }
        }
    }

    fn logged(
        &mut self,
        path: &str,
        method: &str,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) {
        let is_log = matches!(
            method,
            ".debug"
                | ".info"
                | ".warning"
                | ".warn"
                | ".error"
                | ".critical"
                | ".exception"
                | ".log"
        );
        if !is_log || !(path.contains("log") || path.contains("LOG")) {
            return;
        }
        let taints = self.all_taints(args, state);
        self.sink(&checks::LOG, class::LOG, &taints, node, state);
        self.sink(&checks::SECRET_LOGGED, class::SECRET, &taints, node, state);
    }

    /// Responses that are made by hand.
    fn responses(&mut self, path: &str, args: &Args, state: &mut State, node: &'p ExprCall) {
        let is_response = matches!(
            path,
            "flask.Response"
                | "flask.wrappers.Response"
                | "werkzeug.wrappers.Response"
                | "aiohttp.web.Response"
                | "starlette.responses.Response"
                | "fastapi.Response"
                | "fastapi.responses.Response"
        );
        if !is_response {
            return;
        }
        let kind = ["mimetype", "content_type", "media_type"]
            .iter()
            .find_map(|name| args.keyword(name));
        let kind = kind.and_then(Value::as_text).unwrap_or(
            if path.starts_with("flask") || path.starts_with("werk") {
                "text/html"
            } else {
                "text/plain"
            },
        );
        if kind.contains("html") || kind.contains("svg") {
            let body = args
                .positional
                .first()
                .or_else(|| args.keyword("response"))
                .or_else(|| args.keyword("text"))
                .or_else(|| args.keyword("body"));
            let taints = body.map_or_else(Taints::default, |body| self.deep(state, body));
            self.sink(&checks::XSS, class::XSS, &taints, node, state);
        }
    }

    /// The text of an error reaches the visitor.
    pub(super) fn error_shown(
        &mut self,
        taints: &Taints,
        node: &impl ruff_text_size::Ranged,
        state: &State,
    ) {
        self.sink_of(
            &checks::TRACE,
            class::SECRET,
            &[Kind::Error],
            taints,
            node,
            state,
        );
    }
}
