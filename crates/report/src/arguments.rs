//! The command line.

use std::path::PathBuf;

use crate::sections::criterion::Sampling;
use clap::{Parser, ValueEnum};

/// A part of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    /// The benchmarks of C library and allocator
    Allocations,
    /// The program, as a server under load
    Broker,
    /// The parts of the C library, one by one
    Libc,
    /// Programs of others, each with a fixed command line
    Programs,
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
    /// What to measure; given again, several of them [default: all, or what
    /// --groups, --scenarios or --programs are of]
    #[arg(long, value_name = "SECTION", value_enum, value_delimiter = ',')]
    pub(crate) section: Vec<Section>,
    /// Names of the loads to put the program under [default: all]
    #[arg(long, visible_alias = "scenario", value_name = "NAME", num_args = 1..)]
    pub(crate) scenarios: Vec<String>,
    /// Names of the programs of others to measure [default: all]
    #[arg(long, visible_alias = "program", value_name = "NAME", value_delimiter = ',', num_args = 1..)]
    pub(crate) programs: Vec<String>,
    /// The nats-server to compare with [default: the one on PATH, if any]
    #[arg(long, value_name = "FILE", overrides_with = "nats_server")]
    pub(crate) nats_server: Option<PathBuf>,
    /// How often each cell is measured [default: 10, with --quick 2]
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
\"program\":\"/path/to/broker\",\"shipped\":false}, …],
\"builds\":[{\"name\":\"glibc\",\"label\":\"glibc\",\"shipped\":false}, …],
\"programs\":[{\"name\":\"ripgrep\",\"about\":\"its version, …\",
\"arguments\":[\"-n\",\"word\",\"{input}\"],
\"input\":\"/path/to/data\",\"builds\":{\"glibc\":\"/path/to/rg\", …}}, …]}
where program may be null. The generator is the program whose `bench` puts the
others under load; without it, that section is left out. The least server is
measured beside them where one client publishes to one; it may be left out. The
surveys are builds of one program for glibc, stock musl and fast musl, which
measure the C library; without them, that section is left out.

Programs of others are left out as well, if the matrix names none. Their builds
are shown in the order of the list; the first is the baseline. Without a list,
builds are shown by their names, and \"glibc\" comes first. The input stands where
the arguments say {input}, else at the end. All builds must print the same. What
is shipped to users is marked in tables and pictures.

Ctrl-C ends it early; what was measured by then is written, marked incomplete.
A complete report already in the folder is then kept, and the new one goes to
the folder \"incomplete\" in it.

Exit code: 0 if all went well; 1 if a benchmark failed (the report says which)
or nothing could be measured or written; 2 if the command line is wrong; 130
after Ctrl-C.";

impl Arguments {
    /// How often each cell is measured.
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 2 } else { 10 })
    }

    /// Whether a part of the report is to be measured.
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
