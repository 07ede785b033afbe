//! SQL and `XPath`: errors that only an unbalanced quote causes, answers that follow a condition, delays.

use super::Spot;
use super::timing::slope;
use crate::live::call::{Answer, Call};
use crate::live::compare::{Print, print};
use crate::live::engine::{Engine, Stop};
use crate::live::point::Point;

/// Texts of database drivers, in lower case.
const ERRORS: [&str; 24] = [
    "you have an error in your sql syntax",
    "sqlite3.operationalerror",
    "sqlite3.programmingerror",
    "sqlite_error",
    "unrecognized token:",
    "unterminated quoted string at or near",
    "syntax error at or near",
    "psycopg2.",
    "psycopg.errors",
    "pg::syntaxerror",
    "pymysql.err",
    "mysqldb.",
    "mysql.connector.errors",
    "sqlalchemy.exc.",
    "ora-00933",
    "ora-01756",
    "ora-00936",
    "unclosed quotation mark",
    "sqlstate[",
    "\": syntax error",
    "incomplete input",
    "org.hibernate.",
    "java.sql.sqlexception",
    "quoted string not properly terminated",
];

const XPATH_ERRORS: [&str; 6] = [
    "xpathevalerror",
    "invalid predicate",
    "xpathexception",
    "xmlxpatheval",
    "unfinished literal",
    "invalid xpath",
];

const LDAP_ERRORS: [&str; 6] = [
    "ldap.filter_error",
    "ldapinvalidfiltererror",
    "bad search filter",
    "javax.naming.directory.invalidsearchfilterexception",
    "ldap_search()",
    "malformed filter",
];

pub(super) async fn run(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    if spot.is_found(engine, "live-sql-injection") || spot.is_found(engine, "live-xpath-injection")
    {
        return Ok(());
    }
    if errors(engine, spot).await? {
        return Ok(());
    }
    if matches!(spot.point, Point::FileContent(_) | Point::FileName(_)) {
        return Ok(());
    }
    if condition(engine, spot).await? || functions(engine, spot).await? {
        return Ok(());
    }
    delays(engine, spot).await
}

fn sign(answer: &Answer, base: &Answer, signs: &'static [&'static str]) -> Option<&'static str> {
    let (text, known) = (answer.text.to_lowercase(), base.text.to_lowercase());
    signs
        .iter()
        .copied()
        .find(|sign| text.contains(sign) && !known.contains(sign))
}

/// A value for the attack: a number stays one.
fn value(spot: &Spot) -> String {
    if spot.value.is_empty() {
        "1".to_owned()
    } else {
        spot.value.chars().take(60).collect()
    }
}

async fn errors(engine: &mut Engine, spot: &Spot) -> Result<bool, Stop> {
    let value = value(spot);
    let (call, broken) = spot.attack(engine, &format!("{value}'")).await?;
    for (id, signs) in [
        ("live-xpath-injection", &XPATH_ERRORS[..]),
        ("live-sql-injection", &ERRORS[..]),
    ] {
        let Some(found) = sign(&broken, &spot.base, signs) else {
            continue;
        };
        for (unbalanced, balanced) in pairs(&value) {
            let (_, fine) = spot.attack(engine, &balanced).await?;
            if fine.status == 0 || sign(&fine, &Answer::default(), signs).is_some() {
                continue;
            }
            let (_, repeated) = spot.attack(engine, &unbalanced).await?;
            if sign(&repeated, &fine, signs).is_some() {
                spot.report(engine, id, &call, &broken, found_text(&broken, found));
                return Ok(true);
            }
        }
    }
    ldap(engine, spot, &value).await
}

/// Texts that differ in their syntax alone: a program that refuses every quote refuses both, or neither.
fn pairs(value: &str) -> Vec<(String, String)> {
    let mut all = vec![
        (format!("{value}'"), format!("{value}''")),
        (format!("{value}-"), format!("{value}-0")),
    ];
    all.push(("1-".to_owned(), "1-0".to_owned()));
    all.push((
        format!("{value}' and 'z'='"),
        format!("{value}' and 'z'='z"),
    ));
    all
}

fn found_text<'a>(answer: &Answer, sign: &'a str) -> &'a str {
    if answer.text.contains(sign) {
        sign
    } else {
        "rror"
    }
}

async fn ldap(engine: &mut Engine, spot: &Spot, value: &str) -> Result<bool, Stop> {
    let (call, broken) = spot.attack(engine, &format!("{value})(")).await?;
    let Some(found) = sign(&broken, &spot.base, &LDAP_ERRORS) else {
        return Ok(false);
    };
    let (_, fine) = spot.attack(engine, &format!("{value}\\28")).await?;
    if sign(&fine, &Answer::default(), &LDAP_ERRORS).is_some() {
        return Ok(false);
    }
    spot.report(engine, "live-ldap-injection", &call, &broken, found);
    Ok(true)
}

/// A way to add a condition: what stands before and after it.
struct Frame {
    before: String,
    after: &'static str,
}

fn frames(spot: &Spot, value: &str) -> Vec<Frame> {
    let frame = |before: String, after| Frame { before, after };
    let mut all = vec![
        frame(format!("{value}' and "), " and 'z'='z"),
        frame(format!("{value}%' and "), " and '%'='"),
        frame(format!("{value}') and "), " and ('z'='z"),
        frame(format!("{value}\" and "), " and \"z\"=\"z"),
    ];
    if value.parse::<f64>().is_ok() {
        all.insert(0, frame(format!("{value} and "), ""));
        all.push(frame(format!("{value}) and ("), ")=(1"));
    }
    // Where nothing fits, `or` finds all rows; in a statement that changes rows it would change all of them.
    if !spot.route.call.is_write() || spot.route.takes_password() {
        all.push(frame("zq' or ".to_owned(), " or 'z'='y"));
        all.push(frame("zq' or ".to_owned(), " -- "));
        all.push(frame("zq\" or ".to_owned(), " or \"z\"=\"y"));
        all.push(frame("-7 or ".to_owned(), ""));
    }
    all
}

async fn judge(
    engine: &mut Engine,
    spot: &Spot,
    frame: &Frame,
    condition: &str,
) -> Result<(Call, Answer, Print), Stop> {
    let (call, answer) = spot
        .attack(
            engine,
            &format!("{}{condition}{}", frame.before, frame.after),
        )
        .await?;
    let seen = print(&call, &answer);
    Ok((call, answer, seen))
}

async fn condition(engine: &mut Engine, spot: &Spot) -> Result<bool, Stop> {
    let value = value(spot);
    for frame in frames(spot, &value) {
        let (_, _, yes) = judge(engine, spot, &frame, "4127=4127").await?;
        let (_, _, no) = judge(engine, spot, &frame, "4127=4172").await?;
        if !yes.is_other(&no) || yes.status == 0 || no.status == 0 {
            continue;
        }
        if let Some(id) = language(engine, spot, &frame, &yes, &no).await? {
            let (call, answer, _) = judge(engine, spot, &frame, "4127=4127").await?;
            spot.report(engine, id, &call, &answer, "");
            return Ok(true);
        }
    }
    Ok(false)
}

/// Two more conditions of each kind with other numbers, then a function that only one language has.
async fn language(
    engine: &mut Engine,
    spot: &Spot,
    frame: &Frame,
    yes: &Print,
    no: &Print,
) -> Result<Option<&'static str>, Stop> {
    for (condition, expected) in [
        ("8533=8353", no),
        ("8533=8533", yes),
        ("6201=6201", yes),
        ("6201=6210", no),
    ] {
        let (_, _, seen) = judge(engine, spot, frame, condition).await?;
        let other = if std::ptr::eq(expected, yes) { no } else { yes };
        if !seen.is_same(expected) || !seen.is_other(other) {
            return Ok(None);
        }
    }
    for (id, is_true, is_false) in [
        (
            "live-xpath-injection",
            "string-length('abcd')=4",
            "string-length('abcd')=5",
        ),
        ("live-sql-injection", "length('abcd')=4", "length('abcd')=5"),
        ("live-sql-injection", "len('abcd')=4", "len('abcd')=5"),
        (
            "live-sql-injection",
            "length(\"abcd\")=4",
            "length(\"abcd\")=5",
        ),
    ] {
        let (_, _, right) = judge(engine, spot, frame, is_true).await?;
        let (_, _, wrong) = judge(engine, spot, frame, is_false).await?;
        if right.is_same(yes) && wrong.is_same(no) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// A function that exists against one that does not: for statements whose rows are not shown.
async fn functions(engine: &mut Engine, spot: &Spot) -> Result<bool, Stop> {
    let value = value(spot);
    let (_, broken) = spot.attack(engine, &format!("{value}'")).await?;
    if !print(&spot.route.call, &broken).is_other(&spot.print) {
        return Ok(false);
    }
    for (open, close) in [("'||", "||'"), ("'+", "+'")] {
        let mut proof = None;
        for (exists, missing) in [
            ("lower('A')", "lowre('A')"),
            ("upper('b')", "upepr('b')"),
            ("lower('C')", "rewol('C')"),
        ] {
            let (call, fine) = spot
                .attack(engine, &format!("{value}{open}{exists}{close}"))
                .await?;
            let (_, wrong) = spot
                .attack(engine, &format!("{value}{open}{missing}{close}"))
                .await?;
            let is_proved = fine.status != 0 && fine.status < 500 && wrong.status >= 500;
            if !is_proved {
                proof = None;
                break;
            }
            proof = Some((call, fine));
        }
        if let Some((call, answer)) = proof {
            spot.report(engine, "live-sql-injection", &call, &answer, "");
            return Ok(true);
        }
    }
    Ok(false)
}

async fn delays(engine: &mut Engine, spot: &Spot) -> Result<(), Stop> {
    let value = value(spot);
    let forms: [&dyn Fn(u32) -> String; 6] = [
        &|n| format!("{value}'||(select 'z' from pg_sleep({n}))||'"),
        &|n| format!("{value}'-(select sleep({n}))-'"),
        &|n| format!("{value}-(select sleep({n}))"),
        &|n| format!("{value};select pg_sleep({n})--"),
        &|n| format!("{value}';waitfor delay '0:0:{n}'--"),
        &|n| format!("{value} waitfor delay '0:0:{n}'--"),
    ];
    for form in forms {
        if let Some((call, answer)) = slope(engine, spot, form).await? {
            spot.report(engine, "live-sql-injection", &call, &answer, "");
            return Ok(());
        }
    }
    Ok(())
}
