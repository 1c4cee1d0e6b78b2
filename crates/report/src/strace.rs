//! System calls, counted by strace.

use std::collections::BTreeMap;

use crate::statistics::as_number;

/// The number of calls of each system call.
pub(crate) type Counts = BTreeMap<String, u64>;

/// Parses the table that `strace -c` writes.
///
/// Columns are found by the line of dashes: some of them may be empty, and
/// versions of strace differ in which.
pub(crate) fn parse(table: &str) -> Option<Counts> {
    let mut lines = table.lines().skip_while(|line| !is_rule(line));
    let rule = lines.next()?;
    let calls = column(rule, 3)?;
    let mut counts = Counts::new();
    for line in lines.take_while(|line| !is_rule(line)) {
        let name = line.split_ascii_whitespace().next_back()?;
        let number = line.get(calls.clone())?.trim().parse().ok()?;
        counts.insert(name.to_owned(), number);
    }
    Some(counts)
}

fn is_rule(line: &str) -> bool {
    line.starts_with("--") && line.bytes().all(|byte| byte == b'-' || byte == b' ')
}

/// Returns the range of a column, from the end of the previous one: numbers are
/// right-aligned and may be wider than their dashes.
fn column(rule: &str, number: usize) -> Option<std::ops::Range<usize>> {
    let mut ends = rule
        .char_indices()
        .filter(|&(at, c)| c == '-' && !rule[at + 1..].starts_with('-'))
        .map(|(at, _)| at + 1);
    let start = ends.nth(number.checked_sub(1)?)?;
    Some(start..ends.next()?)
}

/// Returns the calls in `more` beyond those in `less`, divided by the number of
/// iterations.
pub(crate) fn difference(more: &Counts, less: &Counts, iterations: f64) -> BTreeMap<String, f64> {
    more.keys()
        .chain(less.keys())
        .map(|name| {
            let count = |counts: &Counts| as_number(counts.get(name).copied().unwrap_or_default());
            let each = (count(more) - count(less)) / iterations;
            (name.clone(), each)
        })
        .filter(|&(_, each)| each != 0.0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ------------------
 79.51    3.370340          30    110002           getrandom
  0.00    0.000000           0        12        11 execve
  0.00    0.000000                     4           read
------ ----------- ----------- --------- --------- ------------------
100.00    4.238680          38    110018        11 total
";

    #[test]
    fn calls_are_read_whatever_columns_are_empty() {
        let counts = parse(TABLE).expect("it is a table");
        let expected = [("execve", 12), ("getrandom", 110_002), ("read", 4)];
        assert_eq!(counts, expected.map(|(n, c)| (n.to_owned(), c)).into());
    }

    #[test]
    fn other_text_is_no_table() {
        for text in ["", "strace: ptrace: Operation not permitted\n", "-- --\n"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&TABLE.replace("110002", "many")), None);
    }

    #[test]
    fn differences_leave_out_what_is_equal() {
        let of = |counts: &[(&str, u64)]| -> Counts {
            let owned = counts.iter().map(|&(n, c)| (n.to_owned(), c));
            owned.collect()
        };
        let more = of(&[("read", 4), ("brk", 30), ("mmap", 10)]);
        let less = of(&[("read", 4), ("brk", 10), ("madvise", 5)]);
        let each = difference(&more, &less, 10.0);
        let expected = [("brk", 2.0), ("madvise", -0.5), ("mmap", 1.0)];
        assert_eq!(each, expected.map(|(n, c)| (n.to_owned(), c)).into());
    }
}
