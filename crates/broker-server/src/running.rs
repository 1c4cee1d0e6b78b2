//! A server in its own thread.

use std::ops::Deref;
use std::thread::JoinHandle;

use super::{Handle, ServerError};

/// A server that runs in its own thread. Dropping this value [stops](Handle::stop) the server and
/// waits until all of its threads have ended.
///
/// It dereferences to a [`Handle`] and has all of its methods.
#[derive(Debug)]
pub struct Running {
    handle: Handle,
    thread: Option<JoinHandle<Result<(), ServerError>>>,
}

impl Running {
    pub(crate) fn new(handle: Handle, thread: JoinHandle<Result<(), ServerError>>) -> Self {
        Self {
            handle,
            thread: Some(thread),
        }
    }

    /// Returns a handle that may outlive this value.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until the server has ended, after a request through a [`Handle`] or a failure.
    ///
    /// # Errors
    ///
    /// Those of [`Server::run`](crate::Server::run).
    pub fn wait(mut self) -> Result<(), ServerError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), ServerError> {
        let Some(thread) = self.thread.take() else {
            return Ok(());
        };
        thread
            .join()
            .unwrap_or(Err(ServerError::Panicked("server")))
    }
}

impl Deref for Running {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.thread.is_none() {
            return;
        }
        self.handle.stop();
        if let Err(error) = self.join() {
            tracing::error!("{error}");
        }
    }
}
