//! SIGTERM and SIGINT as events.

#[cfg(not(unix))]
pub(crate) use other::Signals;
#[cfg(unix)]
pub(crate) use unix::Signals;

#[cfg(unix)]
mod unix {
    use std::io::{self, Read};

    use mio::net::UnixStream;
    use mio::{Interest, Registry, Token};
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::low_level::pipe;

    /// The signals that end the program, from now on.
    #[derive(Debug)]
    pub(crate) struct Signals(UnixStream);

    impl Signals {
        pub(crate) fn register() -> io::Result<Self> {
            let (read, write) = std::os::unix::net::UnixStream::pair()?;
            read.set_nonblocking(true)?;
            pipe::register(SIGTERM, write.try_clone()?)?;
            pipe::register(SIGINT, write)?;
            Ok(Self(UnixStream::from_std(read)))
        }

        pub(crate) fn watch(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
            registry.register(&mut self.0, token, Interest::READABLE)
        }

        /// How many came since the last call.
        pub(crate) fn take(&mut self) -> usize {
            let mut each_is_a_byte = [0; 16];
            let mut count = 0;
            while let Ok(read @ 1..) = self.0.read(&mut each_is_a_byte) {
                count += read;
            }
            count
        }
    }
}

#[cfg(not(unix))]
mod other {
    use std::io;

    use mio::{Registry, Token};

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

        pub(crate) fn take(&mut self) -> usize {
            0
        }
    }
}
