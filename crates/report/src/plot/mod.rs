//! Pictures of the results: bars with the range of rounds.

mod bars;
mod library;
mod overview;
mod program;
mod scale;
mod svg;

pub use bars::bars;
pub use library::library;
pub use overview::overview;
pub use program::program;

use crate::results::Cell;
use svg::{Anchor, Svg, shorten};

/// How a bar is coloured.
fn class(cell: &Cell, place: usize, baseline: Option<usize>) -> &'static str {
    if baseline == Some(place) {
        return "base";
    }
    match cell.ratio {
        Some(ratio) if ratio > 1.0 => "slower",
        _ => "faster",
    }
}

/// Says why there is no bar, on the side of a line that has more room.
fn absence(svg: &mut Svg, cell: &Cell, (left, right): (f64, f64), line: Option<f64>, y: f64) {
    let text = match &cell.failure {
        Some(why) => format!("failed: {why}"),
        None => "not measured".to_owned(),
    };
    let line = line.unwrap_or(left);
    let (anchor, x, room) = if right - line >= line - left {
        (Anchor::Start, line + 8.0, right - line - 8.0)
    } else {
        (Anchor::End, line - 8.0, line - left - 8.0)
    };
    svg.text("muted", anchor, x, y, &shorten(&text, room));
}

#[cfg(test)]
mod tests {
    use roxmltree::{Document, Node};
    use survey::compare::Comparison;

    use super::*;
    use crate::sample;

    fn number(node: Node<'_, '_>, name: &str) -> f64 {
        let value = node.attribute(name).expect(name);
        value.parse().expect(name)
    }

    /// Everything there is to draw, in pixels of the picture.
    fn check(picture: &str) -> String {
        let document = Document::parse(picture).expect("well-formed XML");
        let root = document.root_element();
        let (width, height) = (number(root, "width"), number(root, "height"));
        for node in document.descendants() {
            for (names, most) in [(["x", "x1", "x2"], width), (["y", "y1", "y2"], height)] {
                for name in names.iter().filter(|name| node.has_attribute(**name)) {
                    let value = number(node, name);
                    assert!((0.0..=most).contains(&value), "{name}={value} {node:?}");
                }
            }
        }
        let texts = document.descendants().filter(|n| n.has_tag_name("text"));
        texts
            .filter_map(|node| node.text())
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn bars_say_what_they_show() {
        let report = sample::report();
        let one = check(&bars(&report, &report.groups[0]).expect("measured"));
        for part in [
            "one",
            "3.00 ms",
            "25.00 ms",
            "8.33x",
            "baseline 3.00 ms",
            "time of one iteration (ms), less is better",
            "(INCOMPLETE)",
        ] {
            assert!(one.contains(part), "{part}: {one}");
        }
        let two = check(&bars(&report, &report.groups[1]).expect("measured"));
        assert!(two.contains("two <&> \"|\""), "{two}");
        assert!(two.contains("failed: killed by SIGSEGV: a <b>"), "{two}");
    }

    #[test]
    fn the_overview_shows_all_groups() {
        let mut report = sample::report();
        let text = check(&overview(&report).expect("measured"));
        for part in ["one", "two <&>", "8.33x", "0.37x", "failed", "1x", "4x"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        report.baseline = None;
        let text = check(&overview(&report).expect("measured"));
        assert!(text.contains("relative to the fastest"), "{text}");
    }

    #[test]
    fn servers_are_compared_with_nats_server_if_it_is_there() {
        let mut report = sample::program();
        let text = check(&program(&report).expect("measured"));
        for part in [
            "relative to the nats | <server>",
            "1 to 1 <&>",
            "3.00x",
            "ratio of rates (logarithmic), more is better",
            "ratio of p99 (logarithmic), less is better",
            "failed",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        report.nats = None;
        let text = check(&program(&report).expect("measured"));
        assert!(text.contains("relative to the a"), "{text}");
        report.baseline = None;
        assert_eq!(program(&report), None);
    }

    #[test]
    fn rows_without_a_penalty_are_left_out() {
        let survey = sample::library().comparison.expect("measured");
        let text = check(&library(&survey).expect("rows"));
        for part in [
            "math: <slow>",
            "3.00x",
            "900.0x",
            "memory: cured",
            "0.90x",
            "2 of 4 rows",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains("never slow"), "{text}");
        let none = Comparison {
            rows: Vec::new(),
            ..survey
        };
        assert_eq!(library(&none), None);
    }

    #[test]
    fn nothing_measured_is_not_drawn() {
        let mut report = sample::report();
        for group in &mut report.groups {
            for cell in &mut group.cells {
                cell.summary_ns = None;
            }
        }
        assert_eq!(bars(&report, &report.groups[0]), None);
        assert_eq!(overview(&report), None);
    }
}
