//! The report in Markdown.

mod machine;
mod section;

use machine::machine;

use crate::report::Report;
use crate::text::{escape, line};

/// Formats the whole report.
pub(crate) fn report(report: &Report) -> String {
    let mut text = "# Benchmarks of the builds\n\n".to_owned();
    if !report.complete {
        text += "**Incomplete: the run was stopped before everything was measured.**\n\n";
    }
    for warning in &report.warnings {
        line(&mut text, &format!("**Warning:** {}.\n", escape(warning)));
    }
    if report.failures().1 > 0 {
        text += "**Some benchmarks failed; the reasons are in their cells.**\n\n";
    }
    for one in &report.sections {
        section::section(&mut text, one);
    }
    machine(&mut text, report);
    text.truncate(text.trim_end().len());
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;
    use crate::section::{AT_MOST, FIRST_ITERATION, Section};

    /// Counts the cells of a table line; escaped bars do not separate cells.
    fn cells(line: &str) -> usize {
        line.replace("\\|", "").matches('|').count()
    }

    fn text(section: Section) -> String {
        report(&sample::report(vec![section]))
    }

    fn check(text: &str, parts: &[&str]) {
        for part in parts {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn all_rows_of_a_table_have_its_columns() {
        let all = vec![
            sample::allocations(),
            sample::broker(),
            sample::libc(),
            sample::programs(),
        ];
        let text = report(&sample::report(all));
        let mut tables = 0;
        let mut columns = None;
        for line in text.lines() {
            if !line.starts_with('|') {
                columns = None;
                continue;
            }
            tables += usize::from(columns.is_none());
            assert_eq!(cells(line), *columns.get_or_insert(cells(line)), "{line}");
        }
        assert_eq!(tables, 11, "{text}");
    }

    #[test]
    fn times_ratios_and_failures() {
        check(
            &text(sample::allocations()),
            &[
                "**Incomplete:",
                "**Warning:** it was loud \\| here.",
                "| benchmark | the plain \\| build | **b** (the b \\| build) | the c",
                "| one | 3.00 (2.00–4.00) 1.00x | 1.10 (1.00–1.20) 0.37x | 25.00 (20.00–30.00) 8.33x |",
                "| one | 1.50x | 0.55x | 12.5x |",
                "failed: killed by SIGSEGV: a \\<b> \\| \\& c \\[0m |",
                "5.00 1.00x \\[1 of 2 rounds\\] |",
                "vary widely: one (2.00x).",
                "| b | the b \\| build",
                "| 1.00 | – |",
                "CPU use by others at the start: 25 %",
            ],
        );
    }

    #[test]
    fn servers_under_load() {
        let text = text(sample::broker());
        check(
            &text,
            &[
                "| 1 to 1 \\<\\&> | 3,000 (2,000–4,000) 3.00x / 1.00x / 0.50x | \
                 failed: cannot start: no \\| such \\<file> | \
                 1,000 1.00x / 0.33x / 0.17x \\[1 of 2 rounds\\] | \
                 6,000 (6,000–6,000) 6.00x / 2.00x / 1.00x |",
                "the ratio to the a \\| \\<server> and the ratio to the least \\| \\<server> where",
                "1.00x / 0.33x \\[1 of 2 rounds\\] |  |\n",
                "| 1 to 1, half load (1,234,567 messages/s) | 300 (200–400) 3.00x / 1.00x |",
                "at half the maximum rate of the nats \\| \\<server>",
                "| without load, start (ms) | 2.00 (2.00–2.00) | failed: cannot start |",
                "peak RSS (MiB) | 2.00 (2.00–2.00) | – | 2.00 |",
                "CPUs, server | 1.50 (1.50–1.50) | – |",
                "CPUs, load generator | 0.25 (0.25–0.25) | – |",
                "Some benchmarks failed",
            ],
        );
        assert!(!text.contains("### Time"), "{text}");
    }

    #[test]
    fn the_parts_of_the_c_library() {
        let mut section = sample::libc();
        check(
            &text(section.clone()),
            &[
                "## C library",
                "1 of 4 rows with fast musl, 2 with stock musl",
                "Unexplained: 1 of these rows (math: <slow>)",
            ],
        );
        (section.rows, section.body) = (Vec::new(), None);
        assert!(text(section.clone()).contains("not measured"));
        section.failure = Some("no row \"a\" | b".to_owned());
        check(
            &text(section),
            &["failed: no row \"a\" \\| b", "Some benchmarks failed"],
        );
    }

    #[test]
    fn programs_of_others() {
        check(
            &text(sample::programs()),
            &[
                "| program | glibc | **static** (static build) |",
                "| search | 100.0 (90.00–110.0) 1.00x | 50.00 (45.00–55.00) 0.50x |",
                "| search, CPU time (ms) | 200.0 (180.0–220.0) 1.00x |",
                "| search, size of the file (MiB) | 4.00 1.00x | 2.00 0.50x |",
                "failed: its output differs",
            ],
        );
    }

    #[test]
    fn equal_notes_are_given_once() {
        let mut section = sample::allocations();
        for (column, measure, value, note) in [
            (0, "system_calls", Some(12.0), FIRST_ITERATION),
            (1, "peak_rss", Some(1e6), AT_MOST),
            (0, "page_faults", None, "no such thing"),
            (1, "page_faults", None, "no such thing"),
        ] {
            let cell = &mut section.rows[0].cells[column];
            if let Some(value) = value {
                cell.push(measure, 1, value);
            }
            cell.note(measure, note);
        }
        section.summarise();
        let text = text(section);
        assert_eq!(text.matches("\\[1\\] no such thing").count(), 1, "{text}");
        check(
            &text,
            &[
                "| 12\\* |",
                "| ≤ 0.95 |",
                "| – \\[1\\] | – \\[1\\] |",
                "| not measured |",
            ],
        );
    }
}
