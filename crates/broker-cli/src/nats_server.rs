//! The command line of nats-server, for a program that is started under that name.
//!
//! The flags are those of nats-server 2.10 (`server/opts.go`). The syntax is that of Go's package
//! `flag`: every name takes one dash or two, a value follows `=` or is the next argument, and a
//! switch takes no value, `=true` or `=false`.

use std::ffi::OsString;

/// The name of the program.
pub(crate) const NAME: &str = "nats-server";

/// The default address of nats-server.
const ANY: &str = "0.0.0.0";

/// What a flag of nats-server means here.
#[derive(Clone, Copy)]
enum Meaning {
    /// This flag of `broker serve`, with the value.
    Value(&'static str),
    /// This switch of `broker serve`.
    Switch(&'static str),
    /// TLS, which Broker turns on by the files.
    Tls,
    /// TLS with client certificates.
    TlsVerify,
    /// The certificate authorities for client certificates.
    TlsCa,
    /// Print the version.
    Version,
    /// A switch without an effect.
    IgnoredSwitch,
    /// A flag with a value and without an effect.
    IgnoredValue,
    /// Broker does not have it: the reason, and what to do instead.
    Refused(&'static str),
}

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The version.
    Version,
    /// These arguments of `broker`.
    Serve(Vec<OsString>),
}

use Meaning::{
    IgnoredSwitch, IgnoredValue, Refused, Switch, Tls, TlsCa, TlsVerify, Value, Version,
};

const NO_CLUSTERS: &str = "Broker does not form clusters; make it a leaf node of one with --leaf";
const NO_STREAMS: &str =
    "Broker does not store messages; make it a leaf node of a server with JetStream with --leaf";
const NO_SYSLOG: &str = "Broker does not log to syslog; collect standard error";

/// The flags of nats-server.
const FLAGS: &[(&[&str], Meaning)] = &[
    (&["p", "port"], Value("port")),
    (&["a", "addr", "net"], Value("addr")),
    (&["n", "name", "server_name"], Value("name")),
    (&["m", "http_port"], Value("http_port")),
    (&["c", "config"], Value("config")),
    (&["sl", "signal"], Value("signal")),
    (&["P", "pid"], Value("pid")),
    (&["ports_file_dir"], Value("ports_file_dir")),
    (&["l", "log"], Value("log")),
    (&["user"], Value("user")),
    (&["pass"], Value("password")),
    (&["auth"], Value("token")),
    (&["tlscert"], Value("tls-cert")),
    (&["tlskey"], Value("tls-key")),
    (&["t"], Switch("test")),
    (&["D", "debug"], Switch("debug")),
    (&["V", "VV", "DV", "DVV", "trace"], Switch("trace")),
    (&["h", "help"], Switch("help")),
    (&["v", "version"], Version),
    (&["tls"], Tls),
    (&["tlsverify"], TlsVerify),
    (&["tlscacert"], TlsCa),
    (&["T", "logtime", "logtime_utc"], IgnoredSwitch),
    (&["sd", "store_dir", "max_traced_msg_len"], IgnoredValue),
    (&["js", "jetstream"], Refused(NO_STREAMS)),
    (
        &[
            "cluster",
            "cluster_listen",
            "cluster_name",
            "cluster_advertise",
            "connect_retries",
            "no_advertise",
            "routes",
        ],
        Refused(NO_CLUSTERS),
    ),
    (
        &["client_advertise"],
        Refused("Broker does not advertise another address; give clients the address"),
    ),
    (
        &["ms", "https_port"],
        Refused("Broker serves monitoring without TLS; use -m, and a proxy with TLS in front"),
    ),
    (
        &["log_size_limit"],
        Refused("Broker does not rotate its log; use logrotate"),
    ),
    (&["s", "syslog", "r", "remote_syslog"], Refused(NO_SYSLOG)),
    (
        &["profile", "help_tls"],
        Refused("Broker has no such feature; leave the flag out"),
    ),
];

/// An error of the command line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFlag {
    #[error("flag -{0}: {1}")]
    Refused(String, &'static str),
    #[error("flag -{0} needs a value")]
    NoValue(String),
    #[error("flag -{0} takes true or false, not {1:?}")]
    NotBoolean(String, String),
    #[error("-tls needs -tlscert and -tlskey")]
    NoCertificate,
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
    let mut arguments: Vec<OsString> = vec!["broker".into(), "serve".into()];
    let (mut wants_tls, mut verifies, mut authorities) = (false, false, None);
    while let Some(argument) = given.next() {
        let Some(text) = argument.to_str().map(str::to_owned) else {
            arguments.push(argument);
            continue;
        };
        let Some(flag) = text.strip_prefix("--").or(text.strip_prefix('-')) else {
            return Err(BadFlag::Command(text));
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (flag, None),
        };
        let known = FLAGS.iter().find(|(names, _)| names.contains(&name));
        let Some(&(_, meaning)) = known else {
            // It is a flag of `broker serve`, or an error that `broker serve` reports.
            arguments.push(if name.len() > 1 {
                format!("--{flag}").into()
            } else {
                argument
            });
            arguments.extend(given.next_if(|next| !next.as_encoded_bytes().starts_with(b"-")));
            continue;
        };
        let mut required = || {
            let value = value.map(OsString::from).or_else(|| given.next());
            value.ok_or_else(|| BadFlag::NoValue(name.to_owned()))
        };
        let is_on = || match value {
            None => Ok(true),
            Some(value) => boolean(name, value),
        };
        match meaning {
            Value(long) => {
                let mut argument = OsString::from(format!("--{long}="));
                argument.push(required()?);
                arguments.push(argument);
            }
            Switch(long) => {
                if is_on()? {
                    arguments.push(format!("--{long}").into());
                }
            }
            Tls => wants_tls |= is_on()?,
            TlsVerify => verifies |= is_on()?,
            TlsCa => authorities = Some(required()?),
            Version => return Ok(Asked::Version),
            IgnoredSwitch => {
                is_on()?;
            }
            IgnoredValue => {
                required()?;
            }
            Refused(why) => return Err(BadFlag::Refused(name.to_owned(), why)),
        }
    }
    let has = |arguments: &[OsString], long: &str| {
        let long = format!("--{long}");
        let named = |text: &str| text.split('=').next() == Some(&long);
        let mut texts = arguments.iter().filter_map(|argument| argument.to_str());
        texts.any(named)
    };
    if (wants_tls || verifies) && !(has(&arguments, "tls-cert") && has(&arguments, "tls-key")) {
        return Err(BadFlag::NoCertificate);
    }
    if verifies {
        let mut argument = OsString::from("--tls-ca=");
        argument.push(authorities.ok_or(BadFlag::NoAuthorities)?);
        arguments.push(argument);
    }
    let chosen = ["addr", "listen", "config"];
    let variables = ["BROKER_LISTEN", "BROKER_CONFIG"];
    if !chosen.iter().any(|long| has(&arguments, long))
        && !variables.iter().any(|name| is_set(name))
    {
        arguments.push(format!("--addr={ANY}").into());
    }
    if !has(&arguments, "log-format") && !is_set("BROKER_LOG_FORMAT") {
        arguments.push("--log-format=nats".into());
    }
    Ok(Asked::Serve(arguments))
}

/// Reads the value of a switch, as Go's package `flag` does.
fn boolean(name: &str, value: &str) -> Result<bool, BadFlag> {
    match value {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(BadFlag::NotBoolean(name.to_owned(), value.to_owned())),
    }
}

#[cfg(test)]
mod tests {
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
            ("serve", BadFlag::Command("serve".into())),
        ] {
            assert_eq!(of(given), Err(expected), "{given}");
        }
    }

    #[test]
    fn variables_of_broker_serve_count() {
        let found = arguments(None::<OsString>, |_| true);
        let expected = Asked::Serve(vec!["broker".into(), "serve".into()]);
        assert_eq!(found, Ok(expected));
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
