//! Flags of nats-server that Broker does not have under the same name.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{ArgAction, Args};
use tracing::level_filters::LevelFilter;

use super::lookup::look_up;

/// Flags of nats-server.
#[derive(Args)]
#[command(next_help_heading = "Options of nats-server")]
pub(crate) struct NatsFlags {
    /// Host for clients, instead of --listen
    #[arg(short = 'a', long, visible_alias = "net", value_name = "HOST", value_parser = host, conflicts_with = "listen")]
    addr: Option<IpAddr>,
    /// Port for clients, instead of --listen; -1 chooses a free port
    #[arg(short, long, value_name = "PORT", value_parser = port, allow_negative_numbers = true, conflicts_with = "listen")]
    port: Option<u16>,
    /// Port for monitoring at the host of the configuration file or of the clients, instead of
    /// --http; -1 chooses a free port
    #[arg(short = 'm', long = "http_port", alias = "http-port", value_name = "PORT", value_parser = port, allow_negative_numbers = true, conflicts_with = "http")]
    http_port: Option<u16>,
    /// Write the server's URLs to a file in this folder, `NAME_PID.ports`
    #[arg(
        long = "ports_file_dir",
        alias = "ports-file-dir",
        value_name = "FOLDER"
    )]
    pub(super) ports_file_dir: Option<PathBuf>,
    /// The same as --log-level debug
    #[arg(short = 'D', long, conflicts_with = "log_level")]
    debug: bool,
    /// The same as --log-level trace; also -DV
    #[arg(short = 'V', long, action = ArgAction::Count, conflicts_with = "log_level")]
    trace: u8,
}

impl NatsFlags {
    /// Returns the address for clients: `listen` with the host and port of these flags.
    pub(crate) fn listen(&self, listen: SocketAddr) -> SocketAddr {
        let ip = self.addr.unwrap_or(listen.ip());
        SocketAddr::new(ip, self.port.unwrap_or(listen.port()))
    }

    /// Returns the port for monitoring, if it is given.
    pub(crate) fn http_port(&self) -> Option<u16> {
        self.http_port
    }

    /// Returns the log level, if these flags have one.
    pub(crate) fn level(&self) -> Option<LevelFilter> {
        match (self.trace, self.debug) {
            (1.., _) => Some(LevelFilter::TRACE),
            (0, true) => Some(LevelFilter::DEBUG),
            (0, false) => None,
        }
    }
}

/// Reads a host, and resolves its name.
fn host(text: &str) -> Result<IpAddr, String> {
    let number = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let found = look_up((number.unwrap_or(text), 0));
    found
        .map(|address| address.ip())
        .map_err(|error| error.to_string())
}

/// Reads a port. 0 is an error because nats-server takes it for its default port or for none.
fn port(text: &str) -> Result<u16, &'static str> {
    match text.parse() {
        Ok(-1) => Ok(0),
        Ok(number @ 1..) => u16::try_from(number).map_err(|_| "ports go up to 65535"),
        _ => Err("give a port from 1 to 65535, or -1 for any free one"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[arg(long)]
        listen: Option<String>,
        #[arg(long)]
        http: Option<String>,
        #[arg(long)]
        log_level: Option<String>,
        #[command(flatten)]
        flags: NatsFlags,
    }

    #[test]
    fn ports_are_read_as_by_nats_server() {
        for (text, expected) in [
            ("1", Some(1)),
            ("65535", Some(65535)),
            ("-1", Some(0)),
            ("0", None),
            ("-2", None),
            ("65536", None),
            ("99999999999", None),
            ("", None),
            ("a", None),
        ] {
            assert_eq!(port(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn addresses_follow_from_what_is_given() {
        let listen: SocketAddr = "127.0.0.1:4222".parse().unwrap();
        for (arguments, expected, monitor) in [
            (&[][..], "127.0.0.1:4222", None),
            (&["-a", "192.0.2.1"], "192.0.2.1:4222", None),
            (&["--net", "::1"], "[::1]:4222", None),
            (&["--addr", "[::1]", "-p", "7"], "[::1]:7", None),
            (&["-p=7"], "127.0.0.1:7", None),
            (&["-p", "-1", "-m", "8"], "127.0.0.1:0", Some(8)),
            (&["--http_port", "-1"], "127.0.0.1:4222", Some(0)),
        ] {
            let given = ["serve"].iter().chain(arguments);
            let flags = Command::try_parse_from(given).expect("it is right").flags;
            let found = flags.listen(listen);
            assert_eq!(found, expected.parse().unwrap(), "{arguments:?}");
            assert_eq!(flags.http_port(), monitor, "{arguments:?}");
        }
    }

    #[test]
    fn letters_choose_what_is_logged() {
        for (arguments, expected) in [
            (&[][..], None),
            (&["-D"], Some(LevelFilter::DEBUG)),
            (&["-V"], Some(LevelFilter::TRACE)),
            (&["-DV"], Some(LevelFilter::TRACE)),
            (&["-DVV"], Some(LevelFilter::TRACE)),
            (&["--debug", "--trace"], Some(LevelFilter::TRACE)),
        ] {
            let given = ["serve"].iter().chain(arguments);
            let flags = Command::try_parse_from(given).expect("it is right").flags;
            assert_eq!(flags.level(), expected, "{arguments:?}");
        }
    }

    #[test]
    fn two_flags_that_mean_the_same_contradict() {
        for arguments in [
            &["-p", "7", "--listen", "x"][..],
            &["-a", "::1", "--listen", "x"],
            &["-m", "7", "--http", "x"],
            &["-D", "--log-level", "info"],
            &["-V", "--log-level", "info"],
        ] {
            let given = ["serve"].iter().chain(arguments);
            let error = Command::try_parse_from(given).err().expect("it is wrong");
            let kind = clap::error::ErrorKind::ArgumentConflict;
            assert_eq!(error.kind(), kind, "{arguments:?}");
        }
    }
}
