//! Formats a comparison as Markdown.

use std::fmt::Write;

use crate::compare::{Compared, Comparison, Each, PENALTY, Ratio};
use crate::reasons;
use crate::rows::CONTROL;

/// If the control's ratio is further from 1, the machine was too busy.
const CONTROL_TOLERANCE: f64 = 0.1;

impl Comparison {
    /// Returns a table and its summary.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let count =
            |above: &dyn Fn(&Compared) -> bool| self.rows.iter().filter(|row| above(row)).count();
        let version = self
            .builds
            .glibc
            .version
            .as_deref()
            .unwrap_or("of unknown version");
        let samples = if self.quick { ", of short samples" } else { "" };
        let mut text = format!(
            "Nanoseconds per call with glibc {version}, stock musl and fast musl: medians of {} \
             interleaved rounds{samples}. Ratios are medians of each round's ratio, with their range \
             in parentheses.\n\n\
             Above {PENALTY}x of glibc: {} of {} rows with fast musl, {} with stock musl.\n",
            self.rounds,
            count(&|row| row.above),
            self.rows.len(),
            count(&|row| row.stock_to_glibc.median > PENALTY),
        );
        let (above, others): (Vec<_>, Vec<_>) = self.rows.iter().partition(|row| row.above);
        let mut notes = Notes::default();
        let cells: Vec<_> = above
            .iter()
            .map(|row| [line(row), vec![notes.note(&row.name)]].concat())
            .collect();
        text += &notes.summary();
        if let Some(ratio) = self.noise() {
            let _ = write!(
                text,
                "\n**Warning:** the control, which is the same with every C library, is at {ratio:.2}x: the \
                 machine was too busy for ratios near 1 to mean much.\n"
            );
        }
        if !above.is_empty() {
            let _ = write!(
                text,
                "\n{}",
                table(&[&COLUMNS[..], &["reason"]].concat(), &cells)
            );
        }
        text += &notes.reasons();
        if !others.is_empty() {
            let cells: Vec<_> = others.iter().map(|row| line(row)).collect();
            // GitHub and others collapse this.
            let _ = write!(
                text,
                "\n<details><summary>The other rows: {}</summary>\n\n{}\n</details>\n",
                others.len(),
                table(&COLUMNS, &cells)
            );
        }
        text
    }

    /// Returns the control's ratio if it is too far from 1.
    fn noise(&self) -> Option<f64> {
        let control = self.rows.iter().find(|row| row.name == CONTROL)?;
        [control.stock_to_glibc.median, control.fast_to_glibc.median]
            .into_iter()
            .find(|ratio| (ratio - 1.0).abs() > CONTROL_TOLERANCE)
    }
}

/// The reasons for rows, numbered by first use.
#[derive(Default)]
struct Notes<'a> {
    reasons: Vec<&'static str>,
    unexplained: Vec<&'a str>,
}

impl<'a> Notes<'a> {
    /// Returns the reference to a row's reason.
    fn note(&mut self, row: &'a str) -> String {
        let Some(reason) = reasons::of(row) else {
            self.unexplained.push(row);
            return "unexplained".to_owned();
        };
        let known = self.reasons.iter().position(|&known| known == reason);
        let place = known.unwrap_or_else(|| {
            self.reasons.push(reason);
            self.reasons.len() - 1
        });
        (place + 1).to_string()
    }

    fn summary(&self) -> String {
        match (&self.unexplained[..], &self.reasons[..]) {
            ([], []) => String::new(),
            ([], _) => {
                "The reason for each of these rows is below the table, by number.\n".to_owned()
            }
            (rows, _) => format!(
                "Unexplained: {} of these rows ({}).\n",
                rows.len(),
                rows.join("; ")
            ),
        }
    }

    fn reasons(&self) -> String {
        let mut text = String::new();
        for (number, reason) in (1..).zip(&self.reasons) {
            let gap = if number == 1 { "\n" } else { "" };
            let _ = writeln!(text, "{gap}{number}. {reason}");
        }
        text
    }
}

/// The columns of the table.
const COLUMNS: [&str; 7] = [
    "row",
    "glibc",
    "stock musl",
    "fast musl",
    "stock / glibc",
    "fast / glibc",
    "fast / stock",
];

fn line(row: &Compared) -> Vec<String> {
    let Each {
        glibc,
        stock_musl,
        fast_musl,
    } = row.nanoseconds;
    vec![
        row.name.clone(),
        nanoseconds(glibc),
        nanoseconds(stock_musl),
        nanoseconds(fast_musl),
        ratio(row.stock_to_glibc),
        ratio(row.fast_to_glibc),
        ratio(row.fast_to_stock),
    ]
}

/// Formats a table with padded columns; the first is left-aligned, the others right-aligned.
fn table(header: &[&str], lines: &[Vec<String>]) -> String {
    let header: Vec<String> = header.iter().map(|&title| title.to_owned()).collect();
    let width = |column: usize| {
        let cells = lines.iter().map(|line| &line[column]);
        let widths = cells
            .chain([&header[column]])
            .map(|cell| cell.chars().count());
        widths.fold(2, usize::max)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let written = |cells: &[String]| {
        let padded = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| {
                if column == 0 {
                    format!("{cell:width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
        format!("| {} |\n", padded.collect::<Vec<_>>().join(" | "))
    };
    let rules = widths.iter().enumerate().map(|(column, &width)| {
        if column == 0 {
            "-".repeat(width)
        } else {
            "-".repeat(width - 1) + ":"
        }
    });
    let head = [written(&header), written(&rules.collect::<Vec<_>>())];
    head.into_iter()
        .chain(lines.iter().map(|line| written(line)))
        .collect()
}

/// Formats with as many digits as are significant.
fn nanoseconds(value: f64) -> String {
    if value < 100.0 {
        format!("{value:.2}")
    } else if value < 10_000.0 {
        format!("{value:.0}")
    } else {
        format!("{:.1}k", value / 1000.0)
    }
}

fn ratio(ratio: Ratio) -> String {
    let Ratio {
        median,
        minimum,
        maximum,
    } = ratio;
    format!("{median:.2}x ({minimum:.2}-{maximum:.2})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::samples::{compared, comparison};
    use crate::reasons::{REASONS, Reason};

    /// Returns the lines of both tables without their headers.
    fn lines(text: &str) -> Vec<Vec<&str>> {
        let lines = text.lines().filter(|line| line.starts_with('|'));
        let cells = lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect());
        cells
            .filter(|cells: &Vec<_>| cells[0] != "row" && !cells[0].starts_with('-'))
            .collect()
    }

    #[test]
    fn penalties_come_first_and_are_pointed_out() {
        let text = comparison(vec![
            compared("none", [&[10.0], &[30.0], &[11.9]]),
            compared("large", [&[10.0], &[30.0], &[25.0]]),
            compared("small", [&[12_345.0], &[20_000.0], &[15_000.0]]),
        ])
        .to_markdown();
        let lines = lines(&text);
        assert_eq!(
            lines[0],
            [
                "large",
                "10.00",
                "30.00",
                "25.00",
                "3.00x (3.00-3.00)",
                "2.50x (2.50-2.50)",
                "0.83x (0.83-0.83)",
                "unexplained",
            ]
        );
        assert_eq!(lines[1][..2], ["small", "12.3k"]);
        assert_eq!((lines[2][0], lines[2].len()), ("none", 7));
        for part in [
            "2 of 3 rows with fast musl, 3 with stock musl",
            "glibc 2.41",
            "<summary>The other rows: 1</summary>",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn what_is_slow_has_its_reason_or_is_named() {
        let Reason { rows, text: reason } = &REASONS[0];
        let above = |name: &str, ratio: f64| compared(name, [&[1.0], &[1.0], &[ratio]]);
        let mut rows = vec![
            above(&format!("{}, again", rows[0]), 3.0),
            above(rows[0], 2.0),
            above("fast", 1.1),
        ];
        let text = comparison(rows.clone()).to_markdown();
        let notes: Vec<_> = lines(&text)
            .iter()
            .filter_map(|line| line.get(7).copied())
            .collect();
        assert_eq!(notes, ["1", "1"]);
        assert_eq!(
            text.matches(&format!("\n1. {reason}\n")).count(),
            1,
            "{text}"
        );
        assert!(
            text.contains("The reason for each") && !text.contains("Unexplained"),
            "{text}"
        );

        rows.push(above("a riddle", 1.5));
        let text = comparison(rows).to_markdown();
        assert_eq!(lines(&text)[2][7], "unexplained");
        assert!(
            text.contains("\nUnexplained: 1 of these rows (a riddle).\n"),
            "{text}"
        );
        assert!(!text.contains("The reason for each"), "{text}");
    }

    #[test]
    fn all_lines_of_the_table_are_equally_long() {
        let text = comparison(vec![compared("x", [&[1.0], &[1e6], &[20.0]])]).to_markdown();
        let lengths: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with('|'))
            .map(str::len)
            .collect();
        assert_eq!(lengths.len(), 3);
        assert!(lengths.iter().all(|&length| length == lengths[0]), "{text}");
    }

    #[test]
    fn a_control_that_is_off_is_told() {
        for (fast, warned) in [(100.0, false), (109.0, false), (115.0, true), (85.0, true)] {
            let text =
                comparison(vec![compared(CONTROL, [&[100.0], &[100.0], &[fast]])]).to_markdown();
            assert_eq!(text.contains("**Warning:**"), warned, "{text}");
        }
    }
}
