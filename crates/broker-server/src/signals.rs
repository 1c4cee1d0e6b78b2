//! Signals as events.

#[cfg(not(unix))]
pub(crate) use other::Signals;
#[cfg(unix)]
pub(crate) use unix::Signals;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code, reason = "no signal comes there"))]
pub(crate) enum Signal {
    /// SIGTERM, SIGINT: to end.
    Terminate,
    /// SIGUSR2: to send clients to other servers, and to end.
    LameDuck,
    /// SIGHUP: to read the configuration again.
    Reload,
    /// SIGUSR1: to open the log file again.
    ReopenLog,
}

impl Signal {
    /// Whether it ends the server.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Terminate | Self::LameDuck)
    }

    /// Says in the log what will come of it.
    pub(crate) fn log(self) {
        match self {
            Self::Terminate => tracing::info!("asked to end"),
            Self::LameDuck => tracing::info!("asked to end as a lame duck (SIGUSR2)"),
            Self::Reload => {
                tracing::info!("SIGHUP: nothing to reload: flags are read at the start only");
            }
            Self::ReopenLog => {
                tracing::info!("SIGUSR1: no log file to open again: the log is standard error");
            }
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::io::{self, Read};

    use mio::net::UnixStream;
    use mio::{Interest, Registry, Token};
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
    use signal_hook::low_level::pipe;

    use super::Signal;

    const KINDS: [(Signal, &[i32]); 4] = [
        (Signal::Terminate, &[SIGTERM, SIGINT]),
        (Signal::LameDuck, &[SIGUSR2]),
        (Signal::Reload, &[SIGHUP]),
        (Signal::ReopenLog, &[SIGUSR1]),
    ];

    /// The signals that mean something to a server, from now on.
    #[derive(Debug)]
    pub(crate) struct Signals(Vec<(Signal, UnixStream)>);

    impl Signals {
        pub(crate) fn register() -> io::Result<Self> {
            let register = |(kind, numbers): (Signal, &[i32])| {
                let (read, write) = std::os::unix::net::UnixStream::pair()?;
                read.set_nonblocking(true)?;
                for &number in numbers {
                    pipe::register(number, write.try_clone()?)?;
                }
                Ok((kind, UnixStream::from_std(read)))
            };
            KINDS
                .into_iter()
                .map(register)
                .collect::<io::Result<_>>()
                .map(Self)
        }

        pub(crate) fn watch(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
            self.0
                .iter_mut()
                .try_for_each(|(_, pipe)| registry.register(pipe, token, Interest::READABLE))
        }

        /// Those that came since the last call, each as often as it came.
        pub(crate) fn take(&mut self) -> Vec<Signal> {
            let mut came = Vec::new();
            for (kind, pipe) in &mut self.0 {
                let mut each_is_a_byte = [0; 16];
                while let Ok(read @ 1..) = pipe.read(&mut each_is_a_byte) {
                    came.extend(std::iter::repeat_n(*kind, read));
                }
            }
            came
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::io;

    use mio::{Registry, Token};

    use super::Signal;

    /// Elsewhere the system ends the program as it likes.
    #[derive(Debug)]
    pub(crate) struct Signals;

    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    impl Signals {
        pub(crate) fn register() -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn watch(&mut self, _: &Registry, _: Token) -> io::Result<()> {
            Ok(())
        }

        pub(crate) fn take(&mut self) -> Vec<Signal> {
            Vec::new()
        }
    }
}
