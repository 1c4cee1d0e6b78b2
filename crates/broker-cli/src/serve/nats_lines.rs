//! Log lines as nats-server writes them: `[PID] YYYY/MM/DD HH:MM:SS.micros [INF] text`, with the
//! time in UTC as with its `logtime_utc`.

use std::fmt;
use std::process;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::registry::LookupSpan;

/// The format.
pub(super) struct NatsLines;

impl<S, N> FormatEvent<S, N> for NatsLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let level = name(*event.metadata().level());
        write!(writer, "[{}] {} [{level}] ", process::id(), date(&time))?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// nats-server's name of a level.
fn name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERR",
        Level::WARN => "WRN",
        Level::INFO => "INF",
        Level::DEBUG => "DBG",
        Level::TRACE => "TRC",
    }
}

/// A time of RFC 3339 as nats-server writes it.
fn date(time: &str) -> String {
    let time = time.strip_suffix('Z').unwrap_or(time);
    time.replace('-', "/").replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_by_nats_server() {
        let found = date("2026-11-26T14:05:49.193590Z");
        assert_eq!(found, "2026/11/26 14:05:49.193590");
    }
}
