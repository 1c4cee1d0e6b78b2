//! All benchmarks at once, as ratios.

use super::scale::Doubling;
use super::svg::{Anchor, Svg, shorten, width_of};
use super::{absence, class};
use crate::format;
use crate::results::{GroupReport, Report};
use crate::statistics::Summary;

const ROW: f64 = 20.0;
const BAR: f64 = 11.0;
/// Above the first panel.
const TOP: f64 = 60.0;
/// Above and below the bars of a panel.
const HEAD: f64 = 30.0;
const FOOT: f64 = 52.0;
/// Of a panel: the bars, then the numbers, then nothing.
const PLOT: f64 = 200.0;
const NUMBERS: f64 = 58.0;
const GAP: f64 = 22.0;
const LONGEST_LABEL: f64 = 270.0;

/// A panel for each benchmark, or nothing if nothing was measured.
#[must_use]
pub fn overview(report: &Report) -> Option<String> {
    let baseline = report.baseline_place();
    let panels: Vec<(&GroupReport, f64)> = report
        .groups
        .iter()
        .filter_map(|group| Some((group, reference(group, baseline)?)))
        .collect();
    let ratios = panels.iter().flat_map(|(group, reference)| {
        let summaries = group.cells.iter().filter_map(|cell| cell.summary_ns);
        summaries.map(|summary| summary.divided_by(*reference))
    });
    let all = Summary::of(ratios.flat_map(|ratio| [ratio.minimum, ratio.maximum]))?;
    let labels: Vec<String> = report
        .variants
        .iter()
        .map(|variant| shorten(&variant.label, LONGEST_LABEL))
        .collect();
    let left = labels.iter().map(|l| width_of(l)).fold(60.0, f64::max) + 14.0;
    let columns = if panels.len() > 4 {
        3
    } else {
        2.min(panels.len())
    };
    let height = HEAD + ROW * format::number(labels.len()) + FOOT;

    let mut svg = Svg::new();
    let title = match &report.baseline {
        Some(_) => "All benchmarks, relative to the baseline",
        None => "All benchmarks, relative to the fastest",
    };
    svg.text("title", Anchor::Start, 8.0, 24.0, title);
    svg.text("muted", Anchor::Start, 8.0, 44.0, &explanation(report));
    for (place, (group, reference)) in panels.iter().enumerate() {
        let (row, column) = (place / columns, place % columns);
        let x = left + format::number(column) * (PLOT + NUMBERS + GAP);
        let y = TOP + format::number(row) * height;
        if column == 0 {
            for (place, label) in labels.iter().enumerate() {
                let y = y + HEAD + ROW * (format::number(place) + 0.5) + 4.5;
                svg.text("", Anchor::End, left - 10.0, y, label);
            }
        }
        let scale = Doubling::new(all.minimum, all.maximum, x, PLOT);
        panel(&mut svg, group, *reference, &scale, (x, y), baseline);
    }
    let width = left + format::number(columns) * (PLOT + NUMBERS + GAP);
    let rows = format::number(panels.len().div_ceil(columns));
    Some(svg.finish(f64::max(width, 640.0), TOP + rows * height, title))
}

/// The time that ratios of a group are made with: the baseline's median, else
/// the fastest.
fn reference(group: &GroupReport, baseline: Option<usize>) -> Option<f64> {
    let medians = group.cells.iter().filter_map(|cell| cell.summary_ns);
    let fastest = medians.map(|summary| summary.median).reduce(f64::min)?;
    let of_baseline = baseline.and_then(|place| group.cells[place].summary_ns);
    Some(of_baseline.map_or(fastest, |summary| summary.median))
}

fn panel(
    svg: &mut Svg,
    group: &GroupReport,
    reference: f64,
    scale: &Doubling,
    (x, y): (f64, f64),
    baseline: Option<usize>,
) {
    let top = y + HEAD;
    let bottom = top + ROW * format::number(group.cells.len());
    let without = baseline.is_some_and(|place| group.cells[place].summary_ns.is_none());
    let name = if without {
        format!("{} (by the fastest)", group.name)
    } else {
        group.name.clone()
    };
    let name = shorten(&name, PLOT + NUMBERS);
    svg.text("", Anchor::Start, x, top - 10.0, &name);
    for (x, text) in scale.ticks(36.0) {
        svg.line("grid", (x, top), (x, bottom + 4.0));
        svg.text("muted", Anchor::Middle, x, bottom + 18.0, &text);
    }
    let axis = "ratio of times (logarithmic)";
    svg.text("muted", Anchor::Middle, x + PLOT / 2.0, bottom + 34.0, axis);
    let one = scale.at(1.0);
    for (place, cell) in group.cells.iter().enumerate() {
        let middle = top + ROW * (format::number(place) + 0.5);
        let Some(summary) = cell.summary_ns else {
            let room = (x, x + PLOT + NUMBERS);
            absence(svg, cell, room, Some(one), middle + 4.5);
            continue;
        };
        let ratio = summary.divided_by(reference);
        let end = scale.at(ratio.median);
        let class = class(cell, place, baseline);
        svg.rect(
            class,
            one.min(end),
            middle - BAR / 2.0,
            (one - end).abs(),
            BAR,
        );
        svg.range(scale.at(ratio.minimum), scale.at(ratio.maximum), middle);
        let text = format::ratio(ratio.median);
        svg.text(
            "",
            Anchor::End,
            x + PLOT + NUMBERS - 4.0,
            middle + 4.5,
            &text,
        );
    }
    svg.line("mark", (one, top - 4.0), (one, bottom + 4.0));
}

fn explanation(report: &Report) -> String {
    let what = if report.baseline.is_some() {
        "by the baseline's; blue: faster than it, orange: slower"
    } else {
        "by that of the fastest"
    };
    let incomplete = if report.complete { "" } else { " (INCOMPLETE)" };
    format!("Bars: median time {what}; lines: fastest to slowest round; less is better{incomplete}")
}
