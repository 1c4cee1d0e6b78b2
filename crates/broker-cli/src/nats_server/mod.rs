//! The command line of nats-server, for a program that is started under that name.
//!
//! The flags are those of nats-server 2.10 (`server/opts.go`). The syntax is that of Go's package
//! `flag`: every name takes one dash or two, a value follows `=` or is the next argument, and a
//! switch takes no value, `=true` or `=false`.

mod arguments;
mod flags;

use std::ffi::OsString;

use arguments::{Arguments, TlsFlags};
use flags::{FLAGS, Meaning};

/// The name of the program.
pub(crate) const NAME: &str = "nats-server";

/// The default address of nats-server.
const ANY: &str = "0.0.0.0";

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The version.
    Version,
    /// These arguments of `broker`.
    Serve(Vec<OsString>),
}

/// An error of the command line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFlag {
    #[error("flag -{0}: {1}")]
    Refused(String, &'static str),
    #[error("flag -{0} needs a value")]
    NoValue(String),
    #[error("flag -{0} takes true or false, not {1:?}")]
    NotBoolean(String, String),
    #[error("TLS needs -tlscert and -tlskey")]
    NoCertificate,
    #[error("-tls=false contradicts the other flags for TLS; leave it or them out")]
    TlsOff,
    #[error("-tlsverify needs -tlscacert, the certificate authorities for client certificates")]
    NoAuthorities,
    #[error("unrecognized command {0:?}: nats-server takes only flags")]
    Command(String),
}

/// Translates arguments of nats-server, without the name of the program. A flag that nats-server
/// does not have is passed on to `broker serve`.
///
/// `is_set` returns whether an environment variable is set: those of `broker serve` apply here
/// too.
///
/// # Errors
///
/// The first argument that is wrong or that Broker does not have.
pub(crate) fn arguments(
    given: impl IntoIterator<Item = OsString>,
    is_set: impl Fn(&str) -> bool,
) -> Result<Asked, BadFlag> {
    let mut given = given.into_iter().peekable();
    let mut translation = Translation::new();
    while let Some(argument) = given.next() {
        let Some(text) = argument.to_str().map(str::to_owned) else {
            translation.arguments.0.push(argument);
            continue;
        };
        let flag = match text.strip_prefix("--").or(text.strip_prefix('-')) {
            // Go's flags end there.
            Some("") => match given.next() {
                Some(command) => {
                    return Err(BadFlag::Command(command.to_string_lossy().into_owned()));
                }
                None => break,
            },
            Some(flag) => flag,
            None if text.eq_ignore_ascii_case("version") => return Ok(Asked::Version),
            None if text.eq_ignore_ascii_case("help") => "help",
            None => return Err(BadFlag::Command(text)),
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag, None),
        };
        let known = FLAGS.iter().find(|(names, _)| names.contains(&name));
        let Some(&(_, meaning)) = known else {
            // It is a flag of `broker serve`, or an error that `broker serve` reports.
            translation.arguments.0.push(if name.len() > 1 {
                format!("--{flag}").into()
            } else {
                argument
            });
            let value = given.next_if(|next| !next.as_encoded_bytes().starts_with(b"-"));
            translation.arguments.0.extend(value);
            continue;
        };
        if matches!(meaning, Meaning::Version) && is_on(name, value)? {
            return Ok(Asked::Version);
        }
        translation.add(meaning, name, value, &mut given)?;
    }
    translation.finish(is_set).map(Asked::Serve)
}

/// The translation so far.
struct Translation {
    arguments: Arguments,
    tls: TlsFlags,
    /// Whether a switch for the log is off, which overrides the configuration file.
    quiet: bool,
}

impl Translation {
    fn new() -> Self {
        Self {
            arguments: Arguments(vec!["broker".into(), "serve".into()]),
            tls: TlsFlags::default(),
            quiet: false,
        }
    }

    /// Adds a flag, whose value may be the next argument.
    fn add(
        &mut self,
        meaning: Meaning,
        name: &str,
        value: Option<&str>,
        next: &mut impl Iterator<Item = OsString>,
    ) -> Result<(), BadFlag> {
        let mut required = || {
            let value = value.map(OsString::from).or_else(|| next.next());
            value.ok_or_else(|| BadFlag::NoValue(name.to_owned()))
        };
        match meaning {
            Meaning::Value(long) => {
                self.tls.any |= long.starts_with("tls-");
                self.arguments.set(long, &required()?);
            }
            Meaning::Switch(long) => {
                self.arguments.remove(long);
                if is_on(name, value)? {
                    self.arguments.0.push(format!("--{long}").into());
                } else {
                    self.quiet |= matches!(long, "debug" | "trace");
                }
            }
            Meaning::Tls => self.tls.on = Some(is_on(name, value)?),
            Meaning::TlsVerify => {
                self.tls.any = true;
                self.tls.verifies = is_on(name, value)?;
            }
            Meaning::TlsCa => {
                self.tls.any = true;
                self.tls.authorities = Some(required()?);
            }
            Meaning::Version | Meaning::IgnoredSwitch => {
                is_on(name, value)?;
            }
            Meaning::IgnoredValue => {
                required()?;
            }
            Meaning::RefusedSwitch(why) => {
                if is_on(name, value)? {
                    return Err(BadFlag::Refused(name.to_owned(), why));
                }
            }
            Meaning::Refused(why) => {
                let value = required()?;
                if !value.is_empty() && value != "0" {
                    return Err(BadFlag::Refused(name.to_owned(), why));
                }
            }
        }
        Ok(())
    }

    /// Adds what follows from all flags together, and nats-server's defaults.
    fn finish(self, is_set: impl Fn(&str) -> bool) -> Result<Vec<OsString>, BadFlag> {
        let Self {
            mut arguments,
            tls,
            quiet,
        } = self;
        tls.add_to(&mut arguments, &is_set)?;
        let any = |arguments: &Arguments, flags: &[&str], variables: &[&str]| {
            flags.iter().any(|long| arguments.has(long))
                || variables.iter().any(|name| is_set(name))
        };
        if quiet && !any(&arguments, &["debug", "trace", "log-level"], &[]) {
            arguments.set("log-level", "info".as_ref());
        }
        let variables = ["BROKER_LISTEN", "BROKER_CONFIG"];
        if !any(&arguments, &["addr", "listen", "config"], &variables) {
            arguments.set("addr", ANY.as_ref());
        }
        if !any(&arguments, &["log-format"], &["BROKER_LOG_FORMAT"]) {
            arguments.set("log-format", "nats".as_ref());
        }
        Ok(arguments.0)
    }
}

/// Reads the value of a switch, as Go's package `flag` does.
fn is_on(name: &str, value: Option<&str>) -> Result<bool, BadFlag> {
    match value {
        None | Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(value) => Err(BadFlag::NotBoolean(name.to_owned(), value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::flags::{NO_CLUSTERS, NO_STREAMS, NO_SYSLOG};
    use super::*;

    fn of(line: &str) -> Result<String, BadFlag> {
        let found = arguments(line.split_whitespace().map(OsString::from), |_| false)?;
        let Asked::Serve(found) = found else {
            return Ok("the version".to_owned());
        };
        let found: Vec<_> = found.iter().filter_map(|word| word.to_str()).collect();
        assert_eq!(found[0], "broker");
        Ok(found[1..].join(" "))
    }

    #[test]
    fn flags_become_those_of_broker_serve() {
        let log = "--log-format=nats";
        for (given, expected) in [
            ("", format!("serve --addr=0.0.0.0 {log}")),
            ("-p 4333", format!("serve --port=4333 --addr=0.0.0.0 {log}")),
            (
                "--port=-1 -a ::1",
                format!("serve --port=-1 --addr=::1 {log}"),
            ),
            (
                "-c a.conf -t",
                format!("serve --config=a.conf --test {log}"),
            ),
            (
                "-config a.conf -T=false -sd /x",
                format!("serve --config=a.conf {log}"),
            ),
            ("-net h -DV", format!("serve --addr=h --trace {log}")),
            (
                "-net h -D=false -V=1",
                format!("serve --addr=h --trace {log}"),
            ),
            (
                "-net h -server_name a -user u -pass p",
                format!("serve --addr=h --name=a --user=u --password=p {log}"),
            ),
            (
                "-net h -m 8222 -n a -auth t",
                format!("serve --addr=h --http_port=8222 --name=a --token=t {log}"),
            ),
            (
                "-net h -P p -l l -ports_file_dir d",
                format!("serve --addr=h --pid=p --log=l --ports_file_dir=d {log}"),
            ),
            (
                "-net h -sl reload=7",
                format!("serve --addr=h --signal=reload=7 {log}"),
            ),
            (
                "-net h -tls -tlscert c -tlskey k -tlscacert a",
                format!("serve --addr=h --tls-cert=c --tls-key=k {log}"),
            ),
            (
                "-net h -tlsverify --tlscert c --tlskey k --tlscacert a",
                format!("serve --addr=h --tls-cert=c --tls-key=k --tls-ca=a {log}"),
            ),
            ("-v", "the version".to_owned()),
            ("Version", "the version".to_owned()),
            ("-net h -v=false", format!("serve --addr=h {log}")),
            ("help", format!("serve --help --addr=0.0.0.0 {log}")),
            // The last one counts.
            (
                "-p 1 --port=2 -a x -net y -D -D=false -debug",
                format!("serve --port=2 --addr=y --debug {log}"),
            ),
            (
                "-net h -V -DV=false",
                format!("serve --addr=h --log-level=info {log}"),
            ),
            // Defaults of nats-server.
            (
                "-net h -p 0 -m 0 -c= -l= -sl=",
                format!("serve --addr=h {log}"),
            ),
            (
                "-net h -js=false -s=false -no_advertise=false -profile 0 -cluster=",
                format!("serve --addr=h {log}"),
            ),
            ("-net h --", format!("serve --addr=h {log}")),
            ("-net h -tls=false", format!("serve --addr=h {log}")),
            // What nats-server does not have.
            (
                "--listen h:1 --log-format text",
                "serve --listen h:1 --log-format text".to_owned(),
            ),
            (
                "-listen=h:1 -max-payload 9",
                format!("serve --listen=h:1 --max-payload 9 {log}"),
            ),
            ("-net h -x", format!("serve --addr=h -x {log}")),
        ] {
            assert_eq!(of(given).as_deref(), Ok(&*expected), "{given}");
        }
    }

    #[test]
    fn what_broker_does_not_have_is_refused() {
        for (given, expected) in [
            ("-js", BadFlag::Refused("js".into(), NO_STREAMS)),
            (
                "--cluster nats://a:1",
                BadFlag::Refused("cluster".into(), NO_CLUSTERS),
            ),
            ("-s", BadFlag::Refused("s".into(), NO_SYSLOG)),
            ("-p", BadFlag::NoValue("p".into())),
            ("-D=maybe", BadFlag::NotBoolean("D".into(), "maybe".into())),
            ("-tls", BadFlag::NoCertificate),
            ("-tls -tlscert c", BadFlag::NoCertificate),
            ("-tlsverify -tlscert c -tlskey k", BadFlag::NoAuthorities),
            ("-tlscacert a", BadFlag::NoCertificate),
            ("-tlsverify=false", BadFlag::NoCertificate),
            ("-tls=false -tlscert c -tlskey k", BadFlag::TlsOff),
            ("-v=x", BadFlag::NotBoolean("v".into(), "x".into())),
            ("serve", BadFlag::Command("serve".into())),
            ("-- serve", BadFlag::Command("serve".into())),
        ] {
            assert_eq!(of(given), Err(expected), "{given}");
        }
    }

    #[test]
    fn variables_of_broker_serve_count() {
        for (given, expected) in [
            (&[][..], &["broker", "serve"][..]),
            (&["-tls", "-tlsverify"], &["broker", "serve"]),
        ] {
            let found = arguments(given.iter().map(OsString::from), |_| true);
            let expected = expected.iter().map(OsString::from).collect();
            assert_eq!(found, Ok(Asked::Serve(expected)));
        }
    }

    #[test]
    fn every_flag_has_one_meaning() {
        let mut names: Vec<_> = FLAGS.iter().flat_map(|(names, _)| *names).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
