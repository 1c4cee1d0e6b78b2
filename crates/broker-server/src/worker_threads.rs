//! The threads of workers, from start to end.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use mio::{Poll, Waker};

use super::shared::Shared;
use super::worker::{self, Worker};
use super::{ServerError, spawn, system};

/// A worker's thread, which returns whether all of its clients' output was written.
pub(crate) type WorkerThread = JoinHandle<Result<bool, Failure>>;

/// Why a worker ended before the server.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The worker's event loop failed.
    System(io::Error),
    /// It has panicked.
    Panic,
}

/// Runs a worker in a new thread. When the worker ends, it is removed from `alive`, and the
/// acceptor is woken.
pub(crate) fn start(
    worker: Worker,
    poll: Poll,
    shared: &Arc<Shared>,
    waker: Arc<Waker>,
    alive: &Arc<AtomicUsize>,
) -> Result<WorkerThread, ServerError> {
    let index = worker.index();
    let (shared, alive) = (Arc::clone(shared), Arc::clone(alive));
    alive.fetch_add(1, Ordering::SeqCst);
    spawn("worker", move || {
        let served = catch_unwind(AssertUnwindSafe(|| worker::run(worker, poll)));
        if !matches!(served, Ok(Ok(_))) {
            shared.workers[index].bury();
        }
        alive.fetch_sub(1, Ordering::SeqCst);
        // An error here would matter less than the end of the worker.
        let _ = waker.wake();
        match served {
            Ok(served) => served.map_err(Failure::System),
            Err(_) => Err(Failure::Panic),
        }
    })
}

/// Waits for the workers, and returns the first failure.
pub(crate) fn join(threads: Vec<WorkerThread>) -> Result<(), ServerError> {
    let mut clean = true;
    let mut failure = None;
    for thread in threads {
        match thread.join() {
            Ok(Ok(all)) => clean &= all,
            Ok(Err(Failure::System(source))) => {
                failure = Some(system("wait for events")(source));
            }
            Ok(Err(Failure::Panic)) | Err(_) => failure = Some(ServerError::Panicked("worker")),
        }
    }
    match failure {
        Some(failure) => Err(failure),
        None if clean => Ok(()),
        None => Err(ServerError::Undrained),
    }
}
