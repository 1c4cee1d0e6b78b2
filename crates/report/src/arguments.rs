//! The command line.

use std::path::PathBuf;

use crate::sections::criterion::Sampling;
use clap::{Parser, ValueEnum};

/// A section of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    /// The benchmarks of C library and allocator
    Allocations,
    /// Broker and other servers under load
    Broker,
    /// The functions of the C library, one by one
    Libc,
    /// Well-known programs, each with a fixed command line
    Programs,
}

/// Measure builds of the same benchmarks and programs against each other, and write a report with
/// tables and plots
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER)]
pub(crate) struct Arguments {
    /// The builds to compare, as JSON (see below)
    #[arg(long, value_name = "FILE", overrides_with = "matrix")]
    pub(crate) matrix: PathBuf,
    /// Names of the variants to measure [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',', num_args = 1..)]
    pub(crate) variants: Vec<String>,
    /// Names of the groups (benchmarks) to measure [default: all]. Names may contain commas, so give
    /// several as --groups "single thread" churn, or repeat the flag
    #[arg(long, visible_alias = "group", value_name = "NAME", num_args = 1..)]
    pub(crate) groups: Vec<String>,
    /// Sections to measure; can be repeated [default: all, or those that --groups, --scenarios or
    /// --programs select]
    #[arg(long, value_name = "SECTION", value_enum, value_delimiter = ',')]
    pub(crate) section: Vec<Section>,
    /// Names of the loads for the servers [default: all]
    #[arg(long, visible_alias = "scenario", value_name = "NAME", num_args = 1..)]
    pub(crate) scenarios: Vec<String>,
    /// Names of the well-known programs to measure [default: all]
    #[arg(long, visible_alias = "program", value_name = "NAME", value_delimiter = ',', num_args = 1..)]
    pub(crate) programs: Vec<String>,
    /// The nats-server to compare with [default: the one on PATH, if there is one]
    #[arg(long, value_name = "FILE", overrides_with = "nats_server")]
    pub(crate) nats_server: Option<PathBuf>,
    /// How often to measure each cell [default: 10, with --quick 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: Option<u32>,
    /// Use few samples and few rounds: to test the program, not to compare
    #[arg(long)]
    pub(crate) quick: bool,
    /// The folder for the report
    #[arg(long, value_name = "DIR", default_value = "report")]
    pub(crate) output: PathBuf,
    /// The variant to compare the others with [default: the baseline in the matrix]
    #[arg(long, value_name = "NAME")]
    pub(crate) baseline: Option<String>,
    /// The strace that counts system calls [default: the one on PATH, if there is one]
    #[arg(long, value_name = "FILE", overrides_with = "strace")]
    pub(crate) strace: Option<PathBuf>,
}

const AFTER: &str = "\
The matrix: {\"baseline\":\"a\",\"generator\":\"/path/to/broker\",
\"least\":\"/path/to/least\",\"surveys\":[\"/path/to/survey\", …],
\"variants\":[{\"name\":\"a\",\"label\":\"A\",\"allocations\":\"/path/to/benchmarks\",
\"program\":\"/path/to/broker\",\"shipped\":false}, …],
\"builds\":[{\"name\":\"glibc\",\"label\":\"glibc\",\"shipped\":false}, …],
\"programs\":[{\"name\":\"ripgrep\",\"about\":\"its version, …\",
\"arguments\":[\"-n\",\"word\",\"{input}\"],
\"input\":\"/path/to/data\",\"builds\":{\"glibc\":\"/path/to/rg\", …}}, …]}
where program may be null. The generator is the program whose `bench` puts all
servers under load; without it, that section is left out. The least server is a
minimal one, measured where one client publishes to one; it is optional. The
surveys are builds of one program for glibc, stock musl and fast musl, which
time the C library; without them, that section is left out.

The section of well-known programs is left out if the matrix has none. Their
builds are shown in the order of the list; the first is the baseline. Without a
list, builds are sorted by name, with \"glibc\" first. The input replaces {input}
in the arguments, or is appended to them. All builds must print the same. Builds
that are shipped to users are marked in tables and plots.

Ctrl-C stops the run early; the results so far are written and marked as
incomplete. A complete report already in the folder is kept, and the new one is
written to the folder \"incomplete\" in it.

Exit code: 0 on success; 1 if a benchmark failed (the report says which) or
nothing could be measured or written; 2 if the command line is wrong; 130 after
Ctrl-C.";

impl Arguments {
    /// Returns how often to measure each cell.
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 2 } else { 10 })
    }

    /// Returns whether to measure a section.
    pub(crate) fn wants(&self, section: Section) -> bool {
        if !self.section.is_empty() {
            return self.section.contains(&section);
        }
        let named = |section| match section {
            Section::Allocations => !self.groups.is_empty(),
            Section::Broker => !self.scenarios.is_empty(),
            Section::Libc => false,
            Section::Programs => !self.programs.is_empty(),
        };
        named(section) || !Section::value_variants().iter().any(|one| named(*one))
    }

    /// Returns how long to measure a server under each load.
    pub(crate) fn seconds(&self) -> f64 {
        if self.quick { 0.5 } else { 2.0 }
    }

    /// Returns how to measure a benchmark in each round.
    pub(crate) fn sampling(&self) -> Sampling {
        if self.quick {
            Sampling {
                samples: 10,
                warm_up_seconds: 0.1,
                measurement_seconds: 0.2,
            }
        } else {
            Sampling {
                samples: 20,
                warm_up_seconds: 0.3,
                measurement_seconds: 1.0,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from([&["report", "--matrix", "m"], line].concat())
    }

    #[test]
    fn several_names() {
        let variants = ["--variants", "a,b", "--variants", "c"];
        assert_eq!(parse(&variants).expect("valid").variants, ["a", "b", "c"]);
        let groups = ["--groups", "x, y", "z", "--group", "w"];
        assert_eq!(parse(&groups).expect("valid").groups, ["x, y", "z", "w"]);
    }

    #[test]
    fn quick_is_only_a_default_of_rounds() {
        assert_eq!(parse(&[]).expect("valid").rounds(), 10);
        assert_eq!(parse(&["--quick"]).expect("valid").rounds(), 2);
        let both = parse(&["--quick", "--rounds", "3"]).expect("valid");
        assert_eq!(both.rounds(), 3);
    }

    #[test]
    fn names_choose_their_section() {
        let wants = |line: &[&str]| {
            let arguments = parse(line).expect("valid");
            let all = Section::value_variants().iter();
            all.map(|section| u8::from(arguments.wants(*section)))
                .collect::<Vec<_>>()
        };
        for (line, expected) in [
            (&[][..], [1, 1, 1, 1]),
            (&["--groups", "x"], [1, 0, 0, 0]),
            (&["--scenarios", "x"], [0, 1, 0, 0]),
            (&["--programs", "x"], [0, 0, 0, 1]),
            (&["--scenarios", "x", "--groups", "y"], [1, 1, 0, 0]),
            (&["--section", "broker"], [0, 1, 0, 0]),
            (&["--section", "libc"], [0, 0, 1, 0]),
            (&["--section", "libc", "--groups", "x"], [0, 0, 1, 0]),
            (
                &["--section", "libc", "--section", "programs"],
                [0, 0, 1, 1],
            ),
        ] {
            assert_eq!(wants(line), expected, "{line:?}");
        }
    }

    #[test]
    fn what_the_flake_gives_can_be_given_again() {
        let line = [
            "--strace",
            "a",
            "--nats-server",
            "b",
            "--matrix",
            "n",
            "--strace",
            "c",
        ];
        let twice = [&line[..], &["--nats-server", "d"]].concat();
        let parsed = parse(&twice).expect("valid");
        assert_eq!(parsed.matrix.to_str(), Some("n"));
        assert_eq!(parsed.strace, Some("c".into()));
        assert_eq!(parsed.nats_server, Some("d".into()));
    }

    #[test]
    fn errors_are_those_of_a_command_line() {
        for line in [
            &["--rounds", "0"][..],
            &["--rounds", "x"],
            &["--groups"],
            &["stray"],
        ] {
            let error = parse(line).expect_err("invalid");
            assert_eq!(error.exit_code(), 2, "{error}");
        }
        assert!(Arguments::try_parse_from(["report"]).is_err());
    }
}
