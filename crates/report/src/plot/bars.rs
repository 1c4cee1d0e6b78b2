//! The times of one benchmark.

use super::scale::Linear;
use super::svg::{Anchor, Svg, shorten, width_of};
use super::{absence, class};
use crate::format;
use crate::results::{GroupReport, Report};

const WIDTH: f64 = 860.0;
const ROW: f64 = 28.0;
const BAR: f64 = 15.0;
/// Where the first row begins.
const TOP: f64 = 88.0;
/// Room for the two columns of numbers.
const NUMBERS: f64 = 140.0;
const LONGEST_LABEL: f64 = 270.0;

/// A bar for each variant, or nothing if nothing was measured.
#[must_use]
pub fn bars(report: &Report, group: &GroupReport) -> Option<String> {
    let largest = group
        .cells
        .iter()
        .filter_map(|cell| cell.summary_ns)
        .map(|summary| summary.maximum / 1e6)
        .reduce(f64::max)?;
    let labels: Vec<String> = report
        .variants
        .iter()
        .map(|variant| shorten(&variant.label, LONGEST_LABEL))
        .collect();
    let left = labels.iter().map(|l| width_of(l)).fold(60.0, f64::max) + 12.0;
    let right = WIDTH - NUMBERS;
    let bottom = TOP + ROW * format::number(labels.len());
    let scale = Linear::new(largest, left, right - left);
    let baseline = report.baseline_place();

    let mut svg = Svg::new();
    svg.text("title", Anchor::Start, 8.0, 24.0, &group.name);
    svg.text("muted", Anchor::Start, 8.0, 44.0, &explanation(report));
    svg.text("muted", Anchor::End, right + 78.0, TOP - 8.0, "median");
    if baseline.is_some() {
        svg.text("muted", Anchor::End, WIDTH - 8.0, TOP - 8.0, "ratio");
    }
    for (x, text) in scale.ticks() {
        svg.line("grid", (x, TOP), (x, bottom + 4.0));
        svg.text("muted", Anchor::Middle, x, bottom + 20.0, &text);
    }
    let axis = "time of one iteration (ms), less is better";
    svg.text(
        "muted",
        Anchor::Middle,
        f64::midpoint(left, right),
        bottom + 40.0,
        axis,
    );

    let reference = baseline.and_then(|place| group.cells[place].summary_ns);
    let mark = reference.map(|reference| scale.at(reference.median / 1e6));
    for (place, (cell, label)) in group.cells.iter().zip(&labels).enumerate() {
        let middle = TOP + ROW * (format::number(place) + 0.5);
        svg.text("", Anchor::End, left - 10.0, middle + 4.5, label);
        let Some(summary) = cell.summary_ns else {
            absence(&mut svg, cell, (left, WIDTH), mark, middle + 4.5);
            continue;
        };
        let times = summary.divided_by(1e6);
        let class = class(cell, place, baseline);
        let length = scale.at(times.median) - left;
        svg.rect(class, left, middle - BAR / 2.0, length, BAR);
        svg.range(scale.at(times.minimum), scale.at(times.maximum), middle);
        let median = format!("{} ms", format::milliseconds(summary.median));
        svg.text("", Anchor::End, right + 78.0, middle + 4.5, &median);
        if let Some(ratio) = cell.ratio {
            svg.text(
                "",
                Anchor::End,
                WIDTH - 8.0,
                middle + 4.5,
                &format::ratio(ratio),
            );
        }
    }
    if let (Some(reference), Some(x)) = (reference, mark) {
        svg.line("mark", (x, TOP - 6.0), (x, bottom + 4.0));
        let text = format!("baseline {} ms", format::milliseconds(reference.median));
        // Near an edge it would run into labels or numbers.
        let half = width_of(&text) / 2.0;
        let centre = x.clamp(left + half, f64::max(right + 20.0 - half, left + half));
        svg.text("muted", Anchor::Middle, centre, TOP - 12.0, &text);
    }
    let title = format!("{}: time of one iteration in ms", group.name);
    Some(svg.finish(WIDTH, bottom + 52.0, &title))
}

fn explanation(report: &Report) -> String {
    let rounds = report.settings.rounds;
    let colours = if report.baseline.is_some() {
        "; blue: faster than the baseline, orange: slower"
    } else {
        ""
    };
    let incomplete = if report.complete { "" } else { " (INCOMPLETE)" };
    format!("Bars: median of {rounds} rounds, lines: fastest to slowest round{colours}{incomplete}")
}
