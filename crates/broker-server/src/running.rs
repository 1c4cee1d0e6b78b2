//! A server in a thread of its own.

use std::ops::Deref;
use std::thread::JoinHandle;

use super::{Handle, ServerError};

/// A server that runs in a thread of its own. It [stops](Handle::stop) when this is
/// dropped, and the drop waits until all of its threads have ended.
///
/// Everything that a [`Handle`] can do can be done with this as well.
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

    /// A handle that can be kept longer than this.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Waits until the server has ended: because it was asked to by a [`Handle`], or
    /// because of a failure.
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
