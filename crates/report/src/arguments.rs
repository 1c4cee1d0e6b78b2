//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use report::criterion::Sampling;

/// A part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    /// The benchmarks of C library and allocator
    Allocations,
    /// The program, as a server under load
    Broker,
    /// The parts of the C library, one by one
    Libc,
}

/// Measures builds of the same benchmarks and of the same program against each
/// other, and writes a report with tables and plots.
#[derive(Debug, Parser)]
#[command(version, after_help = AFTER)]
pub(crate) struct Arguments {
    /// The builds to compare, as JSON (see below)
    #[arg(long, value_name = "FILE", overrides_with = "matrix")]
    pub(crate) matrix: PathBuf,
    /// Names of the variants to measure [default: all]
    #[arg(long, value_name = "NAME", value_delimiter = ',', num_args = 1..)]
    pub(crate) variants: Vec<String>,
    /// Names of the groups (benchmarks) to measure [default: all]. They may
    /// hold commas, so give several as --groups "single thread" churn, or the
    /// flag once for each
    #[arg(long, visible_alias = "group", value_name = "NAME", num_args = 1..)]
    pub(crate) groups: Vec<String>,
    /// What to measure [default: all, or what --groups or --scenarios are of]
    #[arg(long, value_name = "SECTION", value_enum)]
    pub(crate) section: Option<Section>,
    /// Names of the loads to put the program under [default: all]
    #[arg(long, visible_alias = "scenario", value_name = "NAME", num_args = 1..)]
    pub(crate) scenarios: Vec<String>,
    /// The nats-server to compare with [default: the one on PATH, if any]
    #[arg(long, value_name = "FILE", overrides_with = "nats_server")]
    pub(crate) nats_server: Option<PathBuf>,
    /// How often each group of each variant is measured [default: 10, with
    /// --quick 2]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: Option<u32>,
    /// Few samples and few rounds: to see that it works, not to compare
    #[arg(long)]
    pub(crate) quick: bool,
    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = "report")]
    pub(crate) output: PathBuf,
    /// The variant that the others are compared with [default: that of the
    /// matrix]
    #[arg(long, value_name = "NAME")]
    pub(crate) baseline: Option<String>,
    /// The strace that counts system calls [default: the one on PATH, if any]
    #[arg(long, value_name = "FILE", overrides_with = "strace")]
    pub(crate) strace: Option<PathBuf>,
}

const AFTER: &str = "\
The matrix: {\"baseline\":\"a\",\"generator\":\"/path/to/broker\",
\"least\":\"/path/to/least\",\"surveys\":[\"/path/to/survey\", …],
\"variants\":[{\"name\":\"a\",\"label\":\"A\",\"allocations\":\"/path/to/benchmarks\",
\"program\":\"/path/to/broker\"}, …]}
where program may be null. The generator is the program whose `bench` puts the
others under load; without it, that section is left out. The least server is
measured beside them where one client publishes to one; it may be left out. The
surveys are builds of one program for glibc, stock musl and fast musl, which
measure the C library; without them, that section is left out.

Ctrl-C ends it early; what was measured by then is written, marked incomplete.
A complete report already in the folder is then kept, and the new one goes to
the folder \"incomplete\" in it.

Exit code: 0 if all went well; 1 if a benchmark failed (the report says which)
or nothing could be measured or written; 2 if the command line is wrong; 130
after Ctrl-C.";

impl Arguments {
    /// How often each group of each variant is measured.
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 2 } else { 10 })
    }

    /// Whether a part of the report is to be measured.
    pub(crate) fn wants(&self, section: Section) -> bool {
        match self.section {
            Some(only) => only == section,
            None => match (self.groups.is_empty(), self.scenarios.is_empty()) {
                (false, true) => section == Section::Allocations,
                (true, false) => section == Section::Broker,
                (false, false) => section != Section::Libc,
                (true, true) => true,
            },
        }
    }

    /// How long the program is measured under each load.
    pub(crate) fn seconds(&self) -> f64 {
        if self.quick { 0.5 } else { 2.0 }
    }

    /// How each of these is done.
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
            [Section::Allocations, Section::Broker, Section::Libc]
                .map(|section| arguments.wants(section))
        };
        for (line, expected) in [
            (&[][..], [true, true, true]),
            (&["--groups", "x"], [true, false, false]),
            (&["--scenarios", "x"], [false, true, false]),
            (&["--scenarios", "x", "--groups", "y"], [true, true, false]),
            (&["--section", "broker"], [false, true, false]),
            (&["--section", "libc"], [false, false, true]),
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
