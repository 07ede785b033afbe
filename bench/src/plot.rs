//! A plot of a few lines, both axes logarithmic, as SVG.

use std::fmt::Write as _;

/// A line: its name, and its points from left to right.
pub(crate) type Line<'a> = (&'a str, Vec<(f64, f64)>);

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
/// Left, top, right and bottom.
const MARGINS: [f64; 4] = [70.0, 50.0, 190.0, 50.0];
const COLOURS: [&str; 4] = ["#1b6ca8", "#b3541e", "#2e7d32", "#6a3d9a"];

/// The range of an axis, in whole powers of ten.
#[derive(Clone, Copy)]
struct Axis {
    least: f64,
    most: f64,
}

impl Axis {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (mut least, mut most) = (f64::MAX, f64::MIN);
        for value in values {
            least = least.min(value.log10().floor());
            most = most.max(value.log10().ceil());
        }
        let most = if most > least { most } else { least + 1.0 };
        Self { least, most }
    }

    /// Where a value is, from 0 to 1.
    fn place(self, value: f64) -> f64 {
        (value.log10() - self.least) / (self.most - self.least)
    }

    fn powers(self) -> impl Iterator<Item = f64> {
        let mut power = self.least;
        std::iter::from_fn(move || {
            let value = (power <= self.most).then_some(power)?;
            power += 1.0;
            Some(10_f64.powf(value))
        })
    }
}

/// The plot. The names are the program's own, so nothing is escaped.
pub(crate) fn svg(title: &str, [across, up]: [&str; 2], lines: &[Line<'_>]) -> String {
    let points = || lines.iter().flat_map(|(_, points)| points);
    let (x, y) = (
        Axis::of(points().map(|point| point.0)),
        Axis::of(points().map(|point| point.1)),
    );
    let [left, top, right, bottom] = MARGINS;
    let at_x = |value| left + x.place(value) * (WIDTH - left - right);
    let at_y = |value| HEIGHT - bottom - y.place(value) * (HEIGHT - top - bottom);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n<text x=\"{left}\" y=\"24\" font-size=\"15\">{title}</text>\n\
         <text x=\"{left}\" y=\"42\">{up}</text>\n<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{across}</text>\n",
        WIDTH - right,
        HEIGHT - 12.0,
    );
    // Writing to a String cannot fail, here and below.
    for value in x.powers() {
        let (place, end) = (at_x(value), HEIGHT - bottom);
        let _written = writeln!(
            out,
            "<path d=\"M{place:.1} {top}V{end}\" stroke=\"#ddd\"/><text x=\"{place:.1}\" y=\"{}\" text-anchor=\"middle\">{value}</text>",
            end + 16.0
        );
    }
    for value in y.powers() {
        let (place, end) = (at_y(value), WIDTH - right);
        let _written = writeln!(
            out,
            "<path d=\"M{left} {place:.1}H{end}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            left - 6.0,
            place + 4.0
        );
    }
    for ((name, points), colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let places: Vec<String> = points
            .iter()
            .map(|(x, y)| format!("{:.1},{:.1}", at_x(*x), at_y(*y)))
            .collect();
        let _written = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            places.join(" ")
        );
        if let Some((x, y)) = points.last() {
            let _written = writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
                at_x(*x) + 8.0,
                at_y(*y) + 4.0
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::svg;

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let plot = svg(
            "A",
            ["x", "y"],
            &[("one", vec![(10.0, 100.0), (1_000.0, 1.0)])],
        );
        assert!(plot.contains("points=\"70.0,50.0 530.0,370.0\""), "{plot}");
    }
}
