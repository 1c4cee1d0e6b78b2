//! The signals that a server acts on.

use std::sync::Arc;

use broker_server::Handle;

use super::arguments::Arguments;
use super::failure::Failure;
use super::log_output::Output;
use super::run_files::RunFiles;
use super::settings;
#[cfg(not(unix))]
pub(crate) use other::Signals;
#[cfg(unix)]
pub(crate) use unix::Signals;

/// What the signals change.
#[cfg_attr(not(unix), allow(dead_code, reason = "no signal comes there"))]
pub(crate) struct Subject {
    pub(crate) server: Handle,
    pub(crate) log: Arc<Output>,
    pub(super) files: Arc<RunFiles>,
    /// The flags, which also override a reloaded file.
    pub(crate) arguments: Arguments,
}

#[cfg_attr(not(unix), allow(dead_code, reason = "no signal comes there"))]
impl Subject {
    /// Reloads the configuration file.
    fn reload(&self) {
        if self.arguments.config.is_none() {
            tracing::error!(
                "SIGHUP: there is no configuration file to reload; start the server with --config FILE"
            );
            return;
        }
        match self.try_reload() {
            Ok(()) => tracing::info!("SIGHUP: reloaded the configuration"),
            Err(error) => tracing::error!("SIGHUP: the configuration is unchanged: {error}"),
        }
    }

    fn try_reload(&self) -> Result<(), Failure> {
        let (file, warnings) = settings::read_file(&self.arguments)?;
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        let config = settings::config(&self.arguments, &file)?;
        Ok(self.server.reload(&config)?)
    }
}

#[cfg(unix)]
mod unix {
    use std::io::{self, Read};
    use std::os::unix::net::UnixStream;
    use std::thread;
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::Errno;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
    use signal_hook::low_level::pipe;

    use super::Subject;

    /// Time for the log thread to write before the process exits.
    const LAST_WORDS: Duration = Duration::from_millis(50);

    const KINDS: [(Signal, &[i32]); 4] = [
        (Signal::Terminate, &[SIGTERM, SIGINT]),
        (Signal::LameDuck, &[SIGUSR2]),
        (Signal::Reload, &[SIGHUP]),
        (Signal::ReopenLog, &[SIGUSR1]),
    ];

    /// What a signal asks for.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Signal {
        /// SIGTERM, SIGINT: drain and exit.
        Terminate,
        /// SIGUSR2: lame duck mode.
        LameDuck,
        /// SIGHUP: reload the configuration.
        Reload,
        /// SIGUSR1: reopen the log file.
        ReopenLog,
    }

    /// The registered signals.
    #[derive(Debug)]
    pub(crate) struct Signals(Vec<(Signal, UnixStream)>);

    impl Signals {
        pub(crate) fn register() -> io::Result<Self> {
            let register = |(kind, numbers): (Signal, &[i32])| {
                let (read, write) = UnixStream::pair()?;
                read.set_nonblocking(true)?;
                for &number in numbers {
                    pipe::register(number, write.try_clone()?)?;
                }
                Ok((kind, read))
            };
            KINDS
                .into_iter()
                .map(register)
                .collect::<io::Result<_>>()
                .map(Self)
        }

        /// Starts a thread that acts on signals, including those since the registration.
        pub(crate) fn follow(mut self, subject: Subject) -> io::Result<()> {
            let follow = move || {
                loop {
                    for signal in self.take() {
                        signal.carry_out(&subject);
                    }
                    if let Err(error) = self.wait() {
                        tracing::error!("signals are no longer received: {error}");
                        return;
                    }
                }
            };
            let thread = thread::Builder::new().name("signals".to_owned());
            thread.spawn(follow).map(drop)
        }

        /// Returns the signals since the last call, each as often as it came.
        fn take(&mut self) -> Vec<Signal> {
            let mut came = Vec::new();
            for (kind, pipe) in &mut self.0 {
                let mut each_is_a_byte = [0; 16];
                while let Ok(read @ 1..) = pipe.read(&mut each_is_a_byte) {
                    came.extend(std::iter::repeat_n(*kind, read));
                }
            }
            came
        }

        /// Waits for a signal.
        fn wait(&self) -> io::Result<()> {
            let pipes = self.0.iter();
            let mut pipes: Vec<_> = pipes
                .map(|(_, pipe)| PollFd::new(pipe, PollFlags::IN))
                .collect();
            match poll(&mut pipes, None) {
                Ok(_) | Err(Errno::INTR) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
    }

    impl Signal {
        fn carry_out(self, subject: &Subject) {
            let Subject {
                server, log, files, ..
            } = subject;
            match self {
                Self::Terminate | Self::LameDuck if server.is_draining() => {
                    files.remove();
                    end_at_once()
                }
                Self::Terminate => {
                    tracing::info!("received a signal to exit");
                    server.drain();
                }
                Self::LameDuck => {
                    tracing::info!("SIGUSR2: entering lame duck mode");
                    server.lame_duck();
                }
                Self::Reload => subject.reload(),
                Self::ReopenLog => log.reopen(),
            }
        }
    }

    fn end_at_once() -> ! {
        tracing::warn!("a second signal: exiting at once");
        thread::sleep(LAST_WORDS);
        std::process::exit(1)
    }
}

#[cfg(not(unix))]
mod other {
    use std::io;

    use super::Subject;

    /// Other systems end the process by themselves.
    #[derive(Debug)]
    pub(crate) struct Signals;

    #[allow(clippy::unnecessary_wraps, clippy::unused_self)]
    impl Signals {
        pub(crate) fn register() -> io::Result<Self> {
            Ok(Self)
        }

        pub(crate) fn follow(self, _: Subject) -> io::Result<()> {
            Ok(())
        }
    }
}
