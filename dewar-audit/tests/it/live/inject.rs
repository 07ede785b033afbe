use std::time::Duration;

use super::server::{Asked, Reply, escape, found, json, missing, page, redirect};

const NOTHING: [&str; 0] = [];

/// A start page that links one address with a parameter.
fn linked(asked: &Asked, link: &str, answer: impl Fn(&Asked) -> Reply) -> Reply {
    let path = link.split('?').next().unwrap();
    match (asked.path.as_str(), asked.method.as_str()) {
        ("/", "GET") => page(format!("<a href='{link}'>more</a>")),
        (known, "GET") if known == path => answer(asked),
        _ => missing(),
    }
}

/// The value of the attack's product, as a program computes it.
fn product(text: &str) -> Option<String> {
    let digits: Vec<u64> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| part.len() == 5)
        .filter_map(|part| part.parse().ok())
        .collect();
    (digits.len() == 2).then(|| (digits[0] * digits[1]).to_string())
}

#[tokio::test]
async fn a_value_in_the_page_is_found_if_it_runs() {
    let bad = |asked: &Asked| {
        linked(asked, "/s?q=tea", |asked| {
            page(format!("<p>{}</p>", asked.q("q")))
        })
    };
    assert_eq!(found(bad).await, ["live-xss-reflected query:q"]);
    let good = |asked: &Asked| {
        linked(asked, "/s?q=tea", |asked| {
            page(format!("<p title=\"{0}\">{0}</p>", escape(&asked.q("q"))))
        })
    };
    assert_eq!(found(good).await, NOTHING);
}

#[tokio::test]
async fn an_escaped_value_in_an_unquoted_attribute_or_a_script_runs() {
    let attribute = |asked: &Asked| {
        linked(asked, "/s?q=tea", |asked| {
            page(format!("<input value={}>", escape(&asked.q("q"))))
        })
    };
    assert_eq!(found(attribute).await, ["live-xss-reflected query:q"]);
    let script = |asked: &Asked| {
        linked(asked, "/s?q=tea", |asked| {
            page(format!(
                "<script>var q = '{}';</script>",
                asked.q("q").replace('<', "")
            ))
        })
    };
    assert_eq!(found(script).await, ["live-xss-reflected query:q"]);
    let quoted = |asked: &Asked| {
        linked(asked, "/s?q=tea", |asked| {
            page(format!(
                "<script>var q = '{}';</script>",
                asked.q("q").replace(['<', '\'', '\\', '\n', '\r'], "")
            ))
        })
    };
    assert_eq!(found(quoted).await, NOTHING);
    let link = |asked: &Asked| {
        linked(asked, "/s?q=tea", |asked| {
            page(format!("<a href=\"{}\">x</a>", escape(&asked.q("q"))))
        })
    };
    assert_eq!(found(link).await, ["live-xss-reflected query:q"]);
    let plain = |asked: &Asked| {
        linked(asked, "/s?q=tea", |asked| {
            json(format!("{{\"q\": \"{}\"}}", asked.q("q")))
        })
    };
    assert_eq!(found(plain).await, NOTHING);
}

#[tokio::test]
async fn a_text_that_is_stored_is_found_on_the_page_that_shows_it() {
    let application = |escapes: bool| {
        let kept = std::sync::Mutex::new(Vec::<String>::new());
        move |asked: &Asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/") => {
                page("<form method=post action=/new><input name=text></form><a href=/all>all</a>")
            }
            ("POST", "/new") => {
                kept.lock().unwrap().push(asked.f("text"));
                redirect("/")
            }
            ("GET", "/all") => {
                let all = kept.lock().unwrap().join("<br>");
                page(if escapes { escape(&all) } else { all })
            }
            _ => missing(),
        }
    };
    assert_eq!(
        found(application(false)).await,
        ["live-xss-stored form:text"]
    );
    assert_eq!(found(application(true)).await, NOTHING);
}

/// A database in which one statement is put together, or has bound values.
fn shop(
    sql: &'static str,
    binds: bool,
    shows_errors: bool,
) -> impl Fn(&Asked) -> Reply + Send + Sync {
    let db = rusqlite::Connection::open_in_memory().unwrap();
    db.execute_batch("CREATE TABLE items(id INTEGER, name TEXT); INSERT INTO items VALUES (1, 'tea'), (2, 'cup'), (3, 'pot');").unwrap();
    let db = std::sync::Mutex::new(db);
    move |asked: &Asked| {
        linked(asked, "/item?id=2", |asked| {
            let db = db.lock().unwrap();
            let value = asked.q("id");
            let rows = if binds {
                db.prepare("SELECT name FROM items WHERE id = ?1 OR name = ?1")
                    .and_then(|mut statement| {
                        statement
                            .query_map([value], |row| row.get::<_, String>(0))?
                            .collect::<Result<Vec<_>, _>>()
                    })
            } else {
                db.prepare(&sql.replace('?', &value))
                    .and_then(|mut statement| {
                        statement
                            .query_map([], |row| row.get::<_, String>(0))?
                            .collect::<Result<Vec<_>, _>>()
                    })
            };
            match rows {
                Ok(rows) => page(format!(
                    "<ul>{}</ul>",
                    rows.iter()
                        .map(|name| format!("<li>{name}"))
                        .collect::<String>()
                )),
                Err(error) if shows_errors => {
                    page(escape(&format!("sqlite3.OperationalError: {error}"))).status(500)
                }
                Err(_) => page("Sorry").status(500),
            }
        })
    }
}

#[tokio::test]
async fn sql_that_is_put_together_is_found_with_and_without_its_errors() {
    let found_sql = ["live-sql-injection query:id"];
    assert_eq!(
        found(shop("SELECT name FROM items WHERE id = ?", false, true)).await,
        ["live-sql-injection query:id", "live-verbose-error"]
    );
    assert_eq!(
        found(shop("SELECT name FROM items WHERE id = ?", false, false)).await,
        found_sql
    );
    assert_eq!(
        found(shop(
            "SELECT name FROM items WHERE name = '?'",
            false,
            false
        ))
        .await,
        found_sql
    );
    assert_eq!(
        found(shop(
            "SELECT name FROM items WHERE name LIKE '%?%'",
            false,
            false
        ))
        .await,
        found_sql
    );
    assert_eq!(found(shop("", true, false)).await, NOTHING);
}

#[tokio::test]
async fn a_template_and_code_that_are_executed_are_found() {
    let template = |asked: &Asked| {
        linked(asked, "/hi?name=Ada", |asked| {
            let name = asked.q("name");
            page(escape(&if name.starts_with("{{") {
                product(&name).unwrap_or(name)
            } else {
                name
            }))
        })
    };
    assert_eq!(
        found(template).await,
        ["live-template-injection query:name"]
    );
    let eval = |asked: &Asked| {
        linked(asked, "/calc?x=1", |asked| {
            page(
                product(&asked.q("x"))
                    .filter(|_| {
                        !asked
                            .q("x")
                            .contains(['{', ';', '|', '$', '&', '<', '(', '\n'])
                    })
                    .unwrap_or_default(),
            )
        })
    };
    assert_eq!(found(eval).await, ["live-code-injection query:x"]);
    let echo = |asked: &Asked| {
        linked(asked, "/hi?name=Ada", |asked| {
            page(escape(&asked.q("name")))
        })
    };
    assert_eq!(found(echo).await, NOTHING);
}

#[tokio::test]
async fn a_shell_is_found_by_what_it_writes() {
    let shell = |asked: &Asked| {
        linked(asked, "/ping?host=a.example", |asked| {
            let host = asked.q("host");
            page(escape(
                &host
                    .split_once(";echo $((")
                    .and_then(|(_, rest)| product(rest))
                    .unwrap_or_default(),
            ))
        })
    };
    assert_eq!(found(shell).await, ["live-command-injection query:host"]);
}

#[tokio::test]
async fn a_shell_is_found_by_the_delay_that_it_was_asked_for() {
    let blind = |asked: &Asked| {
        linked(asked, "/ping?host=a.example", |asked| {
            let host = asked.q("host");
            let seconds = host
                .split_once(";sleep ")
                .and_then(|(_, rest)| rest.trim_end_matches(';').parse().ok())
                .unwrap_or(0);
            Reply {
                delay: Duration::from_secs(seconds),
                ..page("sent")
            }
        })
    };
    assert_eq!(found(blind).await, ["live-command-injection query:host"]);
}

#[tokio::test]
async fn a_file_of_the_server_is_found_and_a_fixed_text_is_not() {
    const PASSWD: &str = "Linux version 6.1.0 (gcc) #1 SMP";
    let bad = |asked: &Asked| {
        linked(asked, "/get?file=a.txt", |asked| {
            page(if asked.q("file").ends_with("/proc/version") {
                PASSWD
            } else {
                "none"
            })
        })
    };
    assert_eq!(found(bad).await, ["live-path-traversal query:file"]);
    let always = |asked: &Asked| linked(asked, "/get?file=a.txt", |_| page(PASSWD));
    assert_eq!(found(always).await, NOTHING);
}

#[tokio::test]
async fn a_redirect_to_another_site_is_found_and_one_to_a_path_is_not() {
    let bad = |asked: &Asked| {
        linked(asked, "/go?next=/a", |asked| {
            redirect(&asked.q("next").replace(['\r', '\n'], ""))
        })
    };
    assert_eq!(found(bad).await, ["live-open-redirect query:next"]);
    let slashes = |asked: &Asked| {
        linked(asked, "/go?next=/a", |asked| {
            let next = asked.q("next").replace(['\r', '\n'], "");
            redirect(if next.starts_with('/') { &next } else { "/" })
        })
    };
    assert_eq!(found(slashes).await, ["live-open-redirect query:next"]);
    let good = |asked: &Asked| {
        linked(asked, "/go?next=/a", |asked| {
            let next = asked.q("next").replace(['\r', '\n'], "");
            redirect(
                if next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') {
                    &next
                } else {
                    "/"
                },
            )
        })
    };
    assert_eq!(found(good).await, NOTHING);
}

#[tokio::test]
async fn a_header_line_of_the_visitors_own_is_found() {
    let bad = |asked: &Asked| {
        linked(asked, "/s?lang=en", |asked| {
            page("x").header("Content-Language", &asked.q("lang"))
        })
    };
    assert_eq!(found(bad).await, ["live-header-injection query:lang"]);
    let good = |asked: &Asked| {
        linked(asked, "/s?lang=en", |asked| {
            page("x").header(
                "Content-Language",
                &asked.q("lang").replace(['\r', '\n'], ""),
            )
        })
    };
    assert_eq!(found(good).await, NOTHING);
}

fn opened(port: &str, path: &str) -> String {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let request = format!("GET /{path} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.len().to_string()
}

#[tokio::test]
async fn an_address_that_the_server_opens_is_found() {
    let bad = |asked: &Asked| {
        linked(asked, "/fetch?url=x", |asked| {
            let url = asked.q("url");
            let opened = url
                .strip_prefix("http://127.0.0.1:")
                .and_then(|rest| rest.split_once('/'))
                // A thread that waits would keep the tasks that it has taken from the others.
                .map(|(port, path)| tokio::task::block_in_place(|| opened(port, path)));
            page(opened.unwrap_or_default())
        })
    };
    let all = tokio::task::spawn_blocking(move || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            .build()
            .unwrap()
            .block_on(found(bad))
    });
    assert_eq!(all.await.unwrap(), ["live-ssrf query:url"]);
}

#[tokio::test]
async fn an_operator_of_a_document_database_is_found() {
    let sign_in = |operators: bool| {
        move |asked: &Asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/") => page(
                "<script>fetch('/find', {method: 'POST', body: JSON.stringify({word: w})})</script>",
            ),
            ("POST", "/find") => {
                let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap_or_default();
                let fields = body["word"].as_object();
                let has = |name: &str| fields.is_some_and(|fields| fields.contains_key(name));
                let refused = |why: &str| json(format!("{{\"error\": \"{why}\"}}")).status(400);
                if fields.is_none() || operators && has("$eq") {
                    json("{\"rows\": []}")
                } else if !operators {
                    refused("a text is expected")
                } else if has("$ne") {
                    json("{\"rows\": [\"ada\", \"grace\"]}")
                } else {
                    refused("unknown operator")
                }
            }
            _ => missing(),
        }
    };
    assert_eq!(
        found(sign_in(true)).await,
        ["live-nosql-injection json:word"]
    );
    assert_eq!(found(sign_in(false)).await, NOTHING);
}

#[tokio::test]
async fn an_object_that_is_executed_while_it_is_read_is_found() {
    let bad = |asked: &Asked| {
        linked(asked, "/load?state=x", |asked| {
            let state = asked.q("state");
            page(if state.starts_with("cbuiltins\neval\n") {
                product(&state).unwrap_or_default()
            } else {
                String::new()
            })
        })
    };
    assert_eq!(
        found(bad).await,
        ["live-unsafe-deserialization query:state"]
    );
}

#[tokio::test]
async fn an_entity_that_reads_a_file_is_found() {
    let bad = |asked: &Asked| {
        linked(asked, "/parse?doc=x", |asked| {
            page(
                if asked.q("doc").contains("SYSTEM \"file:///proc/version\"") {
                    "Linux version 6.1.0 (gcc) #1 SMP"
                } else {
                    ""
                },
            )
        })
    };
    assert_eq!(found(bad).await, ["live-xxe query:doc"]);
}

#[tokio::test]
async fn a_script_that_writes_the_address_is_found() {
    let bad = |asked: &Asked| {
        linked(asked, "/a?b=c", |_| {
            page("<script>document.write(location.hash.slice(1))</script>")
        })
    };
    assert_eq!(found(bad).await, ["live-xss-dom fragment:"]);
    let good = |asked: &Asked| {
        linked(asked, "/a?b=c", |_| {
            page("<script>el.textContent = location.hash</script>")
        })
    };
    assert_eq!(found(good).await, NOTHING);
}
