//! Two parts of a request, each by itself and in this process: a form that is parsed and checked, beside the same text in a plain
//! struct; and a page from a handler's values, each escaped for its place, beside the engine with only its own escaping.
//!
//! Both sides get the same bytes, give equal results and take turns. The result is the median of the turns and, on a busy
//! machine, the fastest turn of each.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use axum::extract::{FromRequestParts, Query};
use dewar::audit::Mode;
use dewar::forms;
use dewar::pages::Templates;
use http::request::Parts as Head;
use minijinja::Environment;
use minijinja::value::Serde;

use crate::Result;
use crate::bare;
use crate::command::Parts;
use crate::form::{Checked, FIELDS, Plain, same};
use crate::pages::one_spelling;

/// Dewar's limit for a page.
const FUEL: u64 = 5_000_000;

pub(crate) async fn run(command: &Parts) -> Result {
    form(command).await?;
    page(command)
}

async fn form(command: &Parts) -> Result {
    let request = http::Request::get(format!("/form?{FIELDS}")).body(())?;
    let (mut head, ()) = request.into_parts();
    let plain = plain(&mut head).await?;
    let checked = checked(&mut head).await?;
    same(&plain, &checked)?;
    let mut turns = Turns::default();
    for _ in 0..command.rounds {
        let begun = Instant::now();
        for _ in 0..command.times {
            black_box(self::plain(&mut head).await?);
        }
        let bare = begun.elapsed();
        let begun = Instant::now();
        for _ in 0..command.times {
            black_box(self::checked(&mut head).await?);
        }
        turns.add(bare.as_secs_f64(), begun.elapsed().as_secs_f64());
    }
    turns.tell("a form of six fields, 330 bytes", command.times)
}

async fn plain(head: &mut Head) -> Result<Plain> {
    Ok(Query::<Plain>::from_request_parts(head, &()).await?.0)
}

async fn checked(head: &mut Head) -> Result<Checked> {
    let read = forms::Query::<Checked>::from_request_parts(head, &()).await;
    Ok(read.map_err(|error| format!("{error:?}"))?.0)
}

/// Beside the unchanged engine, and beside the engine with the same limit on a page's work, which is no part of escaping.
fn page(command: &Parts) -> Result {
    let own = Templates::load(&bare::bundles(), bare::assets(), Mode::Production);
    let mut engine = bare::engine()?;
    rendered(command, &own, &engine, "the engine alone")?;
    engine.set_fuel(Some(FUEL));
    rendered(command, &own, &engine, "the engine with fuel")
}

fn rendered(command: &Parts, own: &Templates, engine: &Environment<'_>, beside: &str) -> Result {
    let list = bare::list_of_twelve();
    let template = engine.get_template("documents/list.html")?;
    let render = || -> Result<String> {
        let html = own.html(&list.page());
        html.map_err(|error| format!("{error:?}").into())
    };
    let (bare, careful) = (template.render(Serde(&list))?, render()?);
    if one_spelling(&bare) != one_spelling(&careful) {
        return Err("both render something else".into());
    }
    let times = command.times / 50 + 1;
    let mut turns = Turns::default();
    for _ in 0..command.rounds {
        let begun = Instant::now();
        for _ in 0..times {
            black_box(template.render(Serde(&list))?);
        }
        let bare = begun.elapsed();
        let begun = Instant::now();
        for _ in 0..times {
            black_box(render()?);
        }
        turns.add(bare.as_secs_f64(), begun.elapsed().as_secs_f64());
    }
    turns.tell(
        &format!("the list of documents, 12 rows, beside {beside}"),
        times,
    )
}

/// The seconds of each turn: first the bare side, then Dewar.
#[derive(Default)]
struct Turns(Vec<(f64, f64)>);

impl Turns {
    fn add(&mut self, bare: f64, dewar: f64) {
        self.0.push((bare, dewar));
    }

    fn tell(&self, what: &str, times: u32) -> Result {
        let median = |mut all: Vec<f64>| {
            all.sort_by(f64::total_cmp);
            all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
        };
        let each = 1e6 / f64::from(times);
        let bare = median(self.0.iter().map(|(bare, _)| bare * each).collect());
        let dewar = median(self.0.iter().map(|(_, dewar)| dewar * each).collect());
        let ratios: Vec<f64> = self.0.iter().map(|(bare, dewar)| dewar / bare).collect();
        let least = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        let most = ratios.iter().copied().fold(0.0, f64::max);
        let ratio = median(ratios);
        let fastest =
            |side: fn(&(f64, f64)) -> f64| self.0.iter().map(side).fold(f64::INFINITY, f64::min);
        let undisturbed = fastest(|(_, dewar)| *dewar) / fastest(|(bare, _)| *bare);
        writeln!(
            std::io::stdout(),
            "{what}: bare {bare:.2} us, dewar {dewar:.2} us, ratio {ratio:.2} ({least:.2} to {most:.2}), \
             of the fastest turns {undisturbed:.2}"
        )?;
        Ok(())
    }
}
