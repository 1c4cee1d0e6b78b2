//! Parts of the C library, as ratios to glibc.

use survey::compare::{Compared, Comparison, PENALTY};

use super::scale::Doubling;
use super::svg::{Anchor, Svg, shorten, width_of};
use crate::format;
use crate::statistics::Summary;

const ROW: f64 = 18.0;
const BAR: f64 = 9.0;
/// Where the first row begins.
const TOP: f64 = 104.0;
const PLOT: f64 = 380.0;
/// Room for a column of ratios.
const NUMBERS: f64 = 76.0;
const LONGEST_LABEL: f64 = 340.0;

/// A bar for each row that is or was slow, the largest penalty first, or nothing
/// if there are none.
#[must_use]
pub fn library(survey: &Comparison) -> Option<String> {
    let slow = |row: &&Compared| row.above || row.stock_to_glibc.median > PENALTY;
    let rows: Vec<&Compared> = survey.rows.iter().filter(slow).collect();
    let ratios = rows.iter().flat_map(|row| {
        let fast = row.fast_to_glibc;
        [fast.minimum, fast.maximum, row.stock_to_glibc.median]
    });
    let all = Summary::of(ratios)?;
    let labels: Vec<String> = rows
        .iter()
        .map(|row| shorten(&row.name, LONGEST_LABEL))
        .collect();
    let left = labels.iter().map(|l| width_of(l)).fold(60.0, f64::max) + 14.0;
    let (right, bottom) = (left + PLOT, TOP + ROW * format::number(rows.len()));
    let scale = Doubling::new(all.minimum, all.maximum, left, PLOT);
    let one = scale.at(1.0);

    let mut svg = Svg::new();
    let title = "Parts of the C library, relative to glibc";
    svg.text("title", Anchor::Start, 8.0, 24.0, title);
    let legend = format!(
        "{} of {} rows: those above {PENALTY}x with stock or fast musl.",
        rows.len(),
        survey.rows.len()
    );
    svg.text("muted", Anchor::Start, 8.0, 44.0, &legend);
    let legend = format!(
        "Bars: fast musl, median of {} rounds (blue: faster than glibc, orange: slower), lines: \
         lowest to highest round; grey marks: stock musl",
        survey.rounds
    );
    svg.text("muted", Anchor::Start, 8.0, 60.0, &legend);
    for (column, head) in [(1.0, "fast"), (2.0, "stock")] {
        svg.text(
            "muted",
            Anchor::End,
            right + column * NUMBERS,
            TOP - 10.0,
            head,
        );
    }
    for (x, text) in scale.ticks(40.0) {
        svg.line("grid", (x, TOP), (x, bottom + 4.0));
        svg.text("muted", Anchor::Middle, x, bottom + 20.0, &text);
    }
    let axis = "ratio of times (logarithmic), less is better";
    svg.text(
        "muted",
        Anchor::Middle,
        f64::midpoint(left, right),
        bottom + 40.0,
        axis,
    );
    for (place, (row, label)) in rows.iter().zip(&labels).enumerate() {
        let middle = TOP + ROW * (format::number(place) + 0.5);
        let (fast, stock) = (row.fast_to_glibc, row.stock_to_glibc.median);
        svg.text("", Anchor::End, left - 10.0, middle + 4.5, label);
        let end = scale.at(fast.median);
        let class = if fast.median > 1.0 {
            "slower"
        } else {
            "faster"
        };
        svg.rect(
            class,
            one.min(end),
            middle - BAR / 2.0,
            (one - end).abs(),
            BAR,
        );
        svg.range(scale.at(fast.minimum), scale.at(fast.maximum), middle);
        svg.rect(
            "base",
            scale.at(stock) - 1.5,
            middle - ROW / 2.0 + 1.0,
            3.0,
            ROW - 2.0,
        );
        for (column, ratio) in [(1.0, fast.median), (2.0, stock)] {
            let x = right + column * NUMBERS;
            svg.text("", Anchor::End, x, middle + 4.5, &format::ratio(ratio));
        }
    }
    svg.line("mark", (one, TOP - 4.0), (one, bottom + 4.0));
    let width = f64::max(right + 2.0 * NUMBERS + 8.0, 980.0);
    Some(svg.finish(width, bottom + 52.0, title))
}
