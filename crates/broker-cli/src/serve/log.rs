//! The log, which never blocks the server.
//!
//! Lines go through a bounded queue to a thread that writes them to standard error or a file.
//! When the writer blocks, the queue fills and further lines are dropped; their number is
//! logged once there is room again.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::{self, PanicHookInfo};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, Sender, bounded};
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

use super::log_output::Output;
use super::nats_lines::NatsLines;

/// Lines that may wait to be written.
const MOST_LINES: usize = 1024;

/// Bytes of those lines.
const MOST_BYTES: usize = 1 << 20;

/// The longest time that the end of the program waits for the writer.
const LONGEST_FLUSH: Duration = Duration::from_secs(1);

/// A format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Text,
    Json,
    /// nats-server's lines.
    Nats,
}

/// The log of the program. Dropping it writes the lines in the queue.
#[derive(Debug)]
pub(crate) struct Log {
    queue: Arc<Queue>,
    output: Arc<Output>,
}

impl Log {
    /// Starts the log, to which `tracing` and panics then write.
    pub(crate) fn start(level: LevelFilter, style: Style, output: Output) -> io::Result<Self> {
        let output = Arc::new(output);
        let (queue, waiting) = Queue::new(style);
        let queue = Arc::new(queue);
        let counted = Arc::clone(&queue);
        // The same format, without the queue.
        let past = Arc::clone(&output);
        let direct = dispatch(level, style, move || Direct(style, Arc::clone(&past)));
        let written = Arc::clone(&output);
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_all(&waiting, &counted, &written, &direct))?;
        tracing::dispatcher::set_global_default(dispatch(level, style, Arc::clone(&queue)))
            .map_err(io::Error::other)?;
        panic::set_hook(Box::new(log_panic));
        Ok(Self { queue, output })
    }

    /// Returns the output.
    pub(crate) fn output(&self) -> Arc<Output> {
        Arc::clone(&self.output)
    }

    /// Writes the last line of the program unformatted, and waits a while for room in the
    /// queue. Standard error gets it as well.
    pub(crate) fn last(&self, line: &str) {
        let mut bytes = escaped(line.as_bytes(), Style::Text).unwrap_or_else(|| line.into());
        bytes.push(b'\n');
        if self.output.is_file() {
            let _ = io::stderr().write_all(&bytes);
        }
        self.queue.bytes.fetch_add(bytes.len(), Ordering::Relaxed);
        let _ = self
            .queue
            .sender
            .send_timeout(Entry::Line(bytes), LONGEST_FLUSH);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let deadline = Instant::now() + LONGEST_FLUSH;
        let (done, is_done) = bounded(1);
        let flush = Entry::Flush(done);
        if self.queue.sender.send_deadline(flush, deadline).is_ok() {
            let _ = is_done.recv_deadline(deadline);
        }
    }
}

fn dispatch<W>(level: LevelFilter, style: Style, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let builder = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(false)
        .with_writer(writer);
    match style {
        Style::Text => Dispatch::new(builder.finish()),
        Style::Json => Dispatch::new(builder.json().finish()),
        Style::Nats => Dispatch::new(builder.event_format(NatsLines).finish()),
    }
}

/// Logs a panic. Rust's own hook would write from the thread that panics, and could block it.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let name = thread.name().unwrap_or("without a name");
    let message = panic.payload_as_str().unwrap_or("no message");
    let place = panic.location().map(ToString::to_string);
    let place = place.as_deref().unwrap_or("an unknown place");
    tracing::error!("thread {name} panicked at {place}: {message}");
    // Only if `RUST_BACKTRACE` asks for it.
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        for line in trace.to_string().lines() {
            tracing::error!("{line}");
        }
    }
}

#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    /// Report that all earlier lines are written.
    Flush(Sender<()>),
}

/// The queue of lines for the thread that writes them.
#[derive(Debug)]
struct Queue {
    style: Style,
    sender: Sender<Entry>,
    /// Bytes in the queue.
    bytes: AtomicUsize,
    /// Dropped lines that are not yet logged.
    dropped: AtomicU64,
}

impl Queue {
    fn new(style: Style) -> (Self, Receiver<Entry>) {
        let (sender, receiver) = bounded(MOST_LINES);
        let queue = Self {
            style,
            sender,
            bytes: AtomicUsize::new(0),
            dropped: AtomicU64::new(0),
        };
        (queue, receiver)
    }

    /// Queues a line, or drops and counts it.
    fn push(&self, line: Vec<u8>) {
        let length = line.len();
        let before = self.bytes.fetch_add(length, Ordering::Relaxed);
        let has_room = before + length <= MOST_BYTES;
        if !has_room || self.sender.try_send(Entry::Line(line)).is_err() {
            self.bytes.fetch_sub(length, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

// tracing-subscriber writes each line with one call.
impl Write for &Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(escaped(line, self.style).unwrap_or_else(|| line.to_vec()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes without the queue; may block.
struct Direct(Style, Arc<Output>);

impl Write for Direct {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let escaped = escaped(line, self.0);
        self.1.write_all(escaped.as_deref().unwrap_or(line))?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the lines of the queue.
fn write_all(waiting: &Receiver<Entry>, queue: &Queue, output: &Output, direct: &Dispatch) {
    for entry in waiting {
        match entry {
            Entry::Line(line) => {
                // Standard error is closed or the disk is full: no error can be reported.
                let _ = output.write_all(&line);
                queue.bytes.fetch_sub(line.len(), Ordering::Relaxed);
            }
            Entry::Flush(done) => {
                let _ = done.send(());
            }
        }
        let dropped = queue.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            tracing::dispatcher::with_default(direct, || {
                tracing::error!("dropped {dropped} log lines because the log was read too slowly");
            });
        }
    }
}

/// Escapes the control characters in a line; `None` if it has none.
///
/// A line may contain text of a client, in which a newline would forge a second line.
fn escaped(line: &[u8], style: Style) -> Option<Vec<u8>> {
    let (body, end) = match line.strip_suffix(b"\n") {
        Some(body) => (body, &b"\n"[..]),
        None => (line, &b""[..]),
    };
    // The two-byte characters U+0080 to U+009F start with 0xc2.
    let is_suspect = |byte: &u8| byte.is_ascii_control() || *byte == 0xc2;
    if !body.iter().any(is_suspect) {
        return None;
    }
    let mut text = String::with_capacity(line.len() + 16);
    for character in String::from_utf8_lossy(body).chars() {
        match (character.is_control(), style) {
            (false, _) => text.push(character),
            (true, Style::Text | Style::Nats) => text.extend(character.escape_default()),
            // JSON's escape within a string.
            (true, Style::Json) => text.extend(format!("\\u{:04x}", u32::from(character)).chars()),
        }
    }
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(end);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_do_not_end_a_line_or_move_a_cursor() {
        use Style::{Json, Text};
        for (line, style, expected) in [
            ("plain\n", Text, "plain\n"),
            ("Grüße £\n", Text, "Grüße £\n"),
            ("a\nERROR b\n", Text, "a\\nERROR b\n"),
            ("a\r\tb\u{1b}[2J\n", Text, "a\\r\\tb\\u{1b}[2J\n"),
            ("a\u{9b}2J\u{7f}\u{85}", Text, "a\\u{9b}2J\\u{7f}\\u{85}"),
            (
                "{\"a\":\"\u{9b}\u{7f}\"}\n",
                Json,
                "{\"a\":\"\\u009b\\u007f\"}\n",
            ),
        ] {
            let found = escaped(line.as_bytes(), style);
            let found = found.unwrap_or_else(|| line.into());
            assert_eq!(String::from_utf8(found).unwrap(), expected);
        }
    }

    #[test]
    fn what_does_not_fit_is_dropped_and_counted() {
        let (queue, waiting) = Queue::new(Style::Text);
        for _ in 0..MOST_LINES + 3 {
            queue.push(b"x\n".to_vec());
        }
        assert_eq!(queue.dropped.load(Ordering::Relaxed), 3);
        assert_eq!(queue.bytes.load(Ordering::Relaxed), 2 * MOST_LINES);
        assert_eq!(waiting.len(), MOST_LINES);

        let (queue, waiting) = Queue::new(Style::Text);
        for _ in 0..3 {
            queue.push(vec![b'x'; MOST_BYTES / 2]);
        }
        assert_eq!(queue.dropped.load(Ordering::Relaxed), 1);
        assert_eq!(waiting.len(), 2);
    }
}
