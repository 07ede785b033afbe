//! The result of the comparison: a table for people, JSON for programs.

use std::fmt;
use std::io::Write;

use serde::Serialize;

use crate::Result;
use crate::command::Compare;
use crate::load::Measured;
use crate::pages::Page;

/// A turn of each server, one after the other.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Round {
    pub(crate) bare: Option<Measured>,
    pub(crate) portal: Option<Measured>,
}

/// All rounds of a page, and their medians.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    page: &'static str,
    what: &'static str,
    connections: u16,
    bytes: usize,
    bare: Option<Medians>,
    portal: Option<Medians>,
    /// CPU time of the portal divided by that of bare axum: the median of the rounds, the least and the most.
    ratio: Option<[f64; 3]>,
    rounds: Vec<Round>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Medians {
    cpu_us: f64,
    per_second: f64,
    p50_us: f64,
    p99_us: f64,
}

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    cores: usize,
    workers: usize,
    rounds: u32,
    seconds: u64,
    rows: Vec<Row>,
}

impl Round {
    fn ratio(&self) -> Option<f64> {
        Some(self.portal.as_ref()?.cpu_us / self.bare.as_ref()?.cpu_us)
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cpu = |side: &Option<Measured>| {
            side.as_ref()
                .map_or_else(|| "-".to_owned(), |it| format!("{:.1} us", it.cpu_us))
        };
        write!(f, "bare {}, portal {}", cpu(&self.bare), cpu(&self.portal))?;
        match self.ratio() {
            Some(ratio) => write!(f, ", ratio {ratio:.3}"),
            None => Ok(()),
        }
    }
}

impl Row {
    pub(crate) fn new(page: &Page, connections: u16, bytes: usize, rounds: Vec<Round>) -> Self {
        let ratios = sorted(rounds.iter().filter_map(Round::ratio));
        let ratio = match (ratios.first(), ratios.last()) {
            (Some(least), Some(most)) => Some([median(&ratios), *least, *most]),
            _ => None,
        };
        let turns = |side: fn(&Round) -> Option<&Measured>| -> Vec<&Measured> {
            rounds.iter().filter_map(side).collect()
        };
        let (bare, portal) = (
            Medians::of(&turns(|round| round.bare.as_ref())),
            Medians::of(&turns(|round| round.portal.as_ref())),
        );
        Self {
            page: page.name,
            what: page.what,
            connections,
            bytes,
            bare,
            portal,
            ratio,
            rounds,
        }
    }
}

impl Medians {
    fn of(turns: &[&Measured]) -> Option<Self> {
        turns.first()?;
        let of =
            |value: fn(&Measured) -> f64| median(&sorted(turns.iter().map(|turn| value(turn))));
        Some(Self {
            cpu_us: of(|turn| turn.cpu_us),
            per_second: of(|turn| turn.per_second),
            p50_us: of(|turn| turn.p50_us.into()),
            p99_us: of(|turn| turn.p99_us.into()),
        })
    }
}

pub(crate) fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// The median of a sorted list; for an even number, the mean of the two in the middle.
pub(crate) fn median(sorted: &[f64]) -> f64 {
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    let half = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(at(half.saturating_sub(1)), at(half))
    } else {
        at(half)
    }
}

impl Report {
    pub(crate) fn new(compare: &Compare) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            cores,
            workers: compare.workers.workers.map_or(cores, usize::from),
            rounds: compare.rounds,
            seconds: compare.seconds,
            rows: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    pub(crate) fn write_json(&self, mut out: impl Write) -> Result {
        serde_json::to_writer_pretty(&mut out, self)?;
        Ok(writeln!(out)?)
    }

    pub(crate) fn write_text(&self, mut out: impl Write) -> Result {
        writeln!(
            out,
            "HTTPS, HTTP/1.1 kept alive; {} cores shared with the client, {} worker threads a server; medians of {} \
             rounds of {} s",
            self.cores, self.workers, self.rounds, self.seconds
        )?;
        writeln!(out)?;
        writeln!(
            out,
            "{:<10} {:>5} {:>7} {:<6} {:>10} {:>9} {:>9} {:>9}  ratio of CPU (least to most)",
            "page", "conn.", "bytes", "server", "CPU us", "req/s", "p50 us", "p99 us"
        )?;
        for row in &self.rows {
            row.write_text(&mut out)?;
        }
        writeln!(out)?;
        let mut told = "";
        for row in &self.rows {
            if row.page != told {
                writeln!(out, "{:<10} {}", row.page, row.what)?;
            }
            told = row.page;
        }
        Ok(())
    }
}

impl Row {
    fn write_text(&self, out: &mut impl Write) -> Result {
        for (name, side) in [("bare", self.bare), ("portal", self.portal)] {
            let Some(side) = side else { continue };
            write!(
                out,
                "{:<10} {:>5} {:>7} {name:<6} {:>10.1} {:>9.0} {:>9.0} {:>9.0}",
                self.page,
                self.connections,
                self.bytes,
                side.cpu_us,
                side.per_second,
                side.p50_us,
                side.p99_us
            )?;
            match self.ratio {
                Some([ratio, least, most]) if name == "portal" => {
                    writeln!(out, "  {ratio:.3} ({least:.3} to {most:.3})")?;
                }
                _ => writeln!(out)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert!((median(&[1.0, 2.0, 4.0, 9.0]) - 3.0).abs() < 1e-9);
        assert!((median(&[1.0, 2.0, 9.0]) - 2.0).abs() < 1e-9);
    }
}
