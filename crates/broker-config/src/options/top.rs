//! Top-level keys, and checks that involve several keys.

use std::path::Path;
use std::time::Duration;

use broker_server::User;

use super::Options;
use super::authorization::Authorized;
use super::checks::base_path;
use super::others::Place;
use super::reader::{Field, Reader, fields};
use crate::Loaded;
use crate::grammar::Map;
use crate::problem::{Position, Problems};
use crate::sources::Sources;

/// nats-server's defaults, for checks against options that are set.
const MAX_PAYLOAD: u32 = 1 << 20;
const MAX_PENDING: u32 = 64 << 20;
const LAME_DUCK_DURATION: Duration = Duration::from_secs(120);
const LAME_DUCK_GRACE_PERIOD: Duration = Duration::from_secs(10);
/// nats-server warns about larger payloads.
const LARGE_PAYLOAD: u32 = 8 << 20;

/// Values that are checked after the whole file is read.
#[derive(Default)]
struct Later<'a> {
    authorized: Option<Authorized>,
    no_auth_user: Option<&'a Position>,
    max_payload: Option<&'a Position>,
    max_pending: Option<&'a Position>,
    lame_duck: Option<&'a Position>,
}

/// Converts a file's tree to options.
pub(crate) fn read(
    path: &Path,
    map: &Map,
    sources: &Sources<'_>,
    ignored: &[String],
) -> Result<Loaded, Problems> {
    let mut reader = Reader::new(sources, ignored);
    let mut options = Options::default();
    let mut later = Later::default();
    if map.entries().is_empty() {
        let whole = Position::whole(&path.display().to_string());
        reader.warn(&whole, "config has no values or is empty");
    }
    for (key, field) in fields(map) {
        reader.listeners(&key, &field, &mut options, &mut later);
    }
    reader.together(&mut options, later);
    let Reader {
        errors, warnings, ..
    } = reader;
    if errors.is_empty() {
        Ok(Loaded { options, warnings })
    } else {
        Err(Problems { errors, warnings })
    }
}

impl<'a> Reader<'a> {
    /// Reads the keys for listeners.
    fn listeners(
        &mut self,
        key: &str,
        field: &Field<'a>,
        options: &mut Options,
        later: &mut Later<'a>,
    ) {
        match key {
            "listen" => (options.host, options.port) = self.listen(field),
            "port" => options.port = self.port(field),
            "host" | "net" => options.host = self.name(field),
            "server_name" => options.server_name = self.server_name(field),
            "http" => (options.http_host, options.http_port) = self.listen(field),
            "http_port" | "monitor_port" => options.http_port = self.port(field),
            "http_base_path" => options.http_base_path = self.base_path(field),
            "allow_non_tls" => options.allow_non_tls = self.boolean(field),
            "tls" => options.tls = self.tls(field),
            "authorization" => later.authorized = self.authorization(field),
            "no_auth_user" => {
                options.no_auth_user = self.name(field);
                later.no_auth_user = Some(field.at);
            }
            "websocket" | "ws" => {
                options.websocket = self.websocket(field);
            }
            "leaf" | "leafnodes" => {
                options.leaf_remote = self.leafnodes(field);
            }
            _ => self.bounds(key, field, options, later),
        }
    }

    /// Reads the keys for limits and times.
    fn bounds(
        &mut self,
        key: &str,
        field: &Field<'a>,
        options: &mut Options,
        later: &mut Later<'a>,
    ) {
        match key {
            "max_control_line" => options.max_control_line = self.within(field, 64..=32_768),
            "max_payload" => {
                options.max_payload = self.within(field, 1..=999_999_999);
                later.max_payload = Some(field.at);
            }
            "max_pending" => {
                options.max_pending = self.within(field, 1024..=1 << 31);
                later.max_pending = Some(field.at);
            }
            "max_connections" | "max_conn" => {
                let most: Option<i64> = self.within(field, -1..=i64::from(u32::MAX));
                // A negative number means no limit.
                options.max_connections = most.map(|most| most.try_into().unwrap_or(usize::MAX));
            }
            "max_subscriptions" | "max_subs" => {
                let most = self.integer(field);
                options.max_subscriptions = most.map(|most| most.try_into().unwrap_or(0));
            }
            "max_sub_tokens" | "max_subscription_tokens" => {
                options.max_sub_tokens = self.within(field, 1..=255);
            }
            "no_header_support" => options.no_header_support = self.boolean(field),
            "ping_interval" => options.ping_interval = self.duration(field),
            "ping_max" => options.ping_max = self.within(field, 1..=i64::from(u32::MAX)),
            "write_deadline" => options.write_deadline = self.duration(field),
            "lame_duck_duration" => {
                options.lame_duck_duration = self.lame_duck_duration(field);
                later.lame_duck = Some(field.at);
            }
            "lame_duck_grace_period" => {
                options.lame_duck_grace_period = self.lame_duck_grace_period(field);
                later.lame_duck = Some(field.at);
            }
            _ => self.files(key, field, options),
        }
    }

    /// Reads the keys for files and logs, and all remaining keys.
    fn files(&mut self, key: &str, field: &Field<'a>, options: &mut Options) {
        match key {
            "debug" => options.debug = self.boolean(field),
            "trace" => options.trace = self.boolean(field),
            "trace_verbose" => {
                options.trace = self.boolean(field);
                if options.trace == Some(true) {
                    self.warn(field.at, "trace_verbose has the same effect as trace");
                }
            }
            "logtime" => {
                if self.boolean(field) == Some(false) {
                    self.warn(
                        field.at,
                        "logtime has no effect: Broker always logs the time",
                    );
                }
            }
            "log_file" | "logfile" => options.log_file = self.path(field),
            "pid_file" | "pidfile" => options.pid_file = self.path(field),
            "ports_file_dir" => options.ports_file_dir = self.path(field),
            _ => self.other(Place::Top, key, field),
        }
    }

    fn server_name(&mut self, field: &Field<'a>) -> Option<String> {
        let name = self.name(field)?;
        if name.contains(char::is_control) {
            self.error(field.at, "server_name has control characters");
        }
        Some(name)
    }

    fn base_path(&mut self, field: &Field<'a>) -> Option<String> {
        let path = base_path(self.text(field)?);
        if path.is_none() {
            self.error(field.at, "http_base_path is not a path such as /NAME");
        }
        path
    }

    fn lame_duck_duration(&mut self, field: &Field<'a>) -> Option<Duration> {
        const LEAST: i64 = 30_000_000_000;
        if self.duration_text(field)? < LEAST {
            self.error(
                field.at,
                "invalid lame_duck_duration, minimum is 30 seconds",
            );
            return None;
        }
        self.time(field)
    }

    fn lame_duck_grace_period(&mut self, field: &Field<'a>) -> Option<Duration> {
        self.duration_text(field)?;
        self.time(field)
    }

    /// Checks that involve several fields.
    fn together(&mut self, options: &mut Options, later: Later<'_>) {
        let max_payload = options.max_payload.unwrap_or(MAX_PAYLOAD);
        let max_pending = options.max_pending.unwrap_or(MAX_PENDING);
        if let Some(at) = later.max_payload.or(later.max_pending) {
            if max_payload > max_pending {
                self.error(
                    at,
                    format!(
                        "max_payload ({max_payload}) cannot be higher than max_pending \
                         ({max_pending})"
                    ),
                );
            } else if max_payload > LARGE_PAYLOAD {
                self.warn(
                    at,
                    format!("max_payload of {max_payload} is large: at most 8 MiB is recommended"),
                );
            }
        }
        let duration = options.lame_duck_duration.unwrap_or(LAME_DUCK_DURATION);
        let grace = options
            .lame_duck_grace_period
            .unwrap_or(LAME_DUCK_GRACE_PERIOD);
        if let Some(at) = later.lame_duck
            && grace >= duration
        {
            let text = format!(
                "lame_duck_grace_period ({grace:?}) must be less than lame_duck_duration \
                 ({duration:?})"
            );
            self.error(at, text);
        }
        let authorized = later.authorized;
        let users = authorized
            .as_ref()
            .map(|found| found.authorization.users.as_slice());
        let users = users.unwrap_or_default();
        let guest = options.no_auth_user.as_deref();
        if let Some((name, at)) = guest.zip(later.no_auth_user) {
            self.check_no_auth_user(name, at, users);
        }
        let Some(authorized) = authorized else {
            return;
        };
        for (at, user) in &authorized.open {
            if guest != Some(user) {
                self.warn(
                    at,
                    format!("user {user:?} has no password: any client can log in as this user"),
                );
            }
        }
        for ways in &authorized.ways {
            if !ways.standard || !ways.websocket && options.websocket.is_some() {
                self.error(
                    &ways.at,
                    "Broker does not restrict a user's connection types; allow STANDARD and \
                     WEBSOCKET, or leave it out",
                );
            }
        }
        options.authorization = Some(authorized.authorization);
    }

    fn check_no_auth_user(&mut self, name: &str, at: &Position, users: &[User]) {
        if !users.iter().any(|user| user.login.name() == name) {
            self.error(
                at,
                format!("no_auth_user: {name:?} is not in authorization.users"),
            );
        }
    }
}
