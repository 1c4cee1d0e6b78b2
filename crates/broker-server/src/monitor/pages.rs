//! What is at which path.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Instant, SystemTime};

use serde_json::{Value, json};

use super::super::health::Health;
use super::super::shared::Shared;
use super::http::{Method, Page, Status, options};
use super::{leafz, metrics, varz};

const JSON: &str = "application/json";

/// The paths there are.
const PATHS: [&str; 5] = ["/", "/healthz", "/varz", "/leafz", "/metrics"];

/// What the pages tell of monitoring itself.
#[derive(Debug)]
pub(super) struct Pages {
    /// Where monitoring listens.
    pub(super) address: SocketAddr,
    pub(super) started: Instant,
    pub(super) start: SystemTime,
    /// Requests by path.
    pub(super) requests: BTreeMap<&'static str, u64>,
}

impl Pages {
    pub(super) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            started: Instant::now(),
            start: SystemTime::now(),
            requests: BTreeMap::new(),
        }
    }

    /// The answer to a request, as bytes.
    pub(super) fn answer(&mut self, method: Method, path: &str, shared: &Shared) -> Vec<u8> {
        if method == Method::Options && path == "*" {
            return options();
        }
        let Some(&path) = PATHS.iter().find(|known| **known == path) else {
            return Page::text(Status::NotFound, "there is / with a list").answer(method);
        };
        let page = match method {
            Method::Options => return options(),
            Method::Other => Page::text(Status::MethodNotAllowed, "there are GET and HEAD"),
            Method::Get | Method::Head => {
                *self.requests.entry(path).or_default() += 1;
                self.page(path, shared)
            }
        };
        page.answer(method)
    }

    fn page(&self, path: &str, shared: &Shared) -> Page {
        match path {
            "/healthz" => health(shared.health()),
            "/varz" => Page {
                status: Status::Ok,
                content: JSON,
                body: format!("{:#}\n", varz::varz(self, shared)),
            },
            "/leafz" => Page {
                status: Status::Ok,
                content: JSON,
                body: format!("{:#}\n", leafz::leafz(shared)),
            },
            "/metrics" => Page {
                status: Status::Ok,
                content: "text/plain; version=0.0.4",
                body: metrics::metrics(self, shared),
            },
            _ => Page::text(Status::Ok, &PATHS[1..].join("\n")),
        }
    }
}

/// As nats-server answers.
fn health(health: Health) -> Page {
    let (status, value): (_, Value) = match health {
        Health::Ok => (Status::Ok, json!({ "status": "ok" })),
        not_ok => (
            Status::ServiceUnavailable,
            json!({ "status": "unavailable", "error": not_ok.to_string() }),
        ),
    };
    Page {
        status,
        content: JSON,
        body: value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_for_health_hears_what_is_wrong() {
        let page = health(Health::Ok);
        assert_eq!(page.status, Status::Ok);
        assert_eq!(page.body, r#"{"status":"ok"}"#);
        for (sick, error) in [
            (Health::Draining, "draining"),
            (Health::Stuck { worker: 3 }, "worker 3 is stuck"),
            (Health::Failed { worker: 0 }, "worker 0 has failed"),
        ] {
            let page = health(sick);
            assert_eq!(page.status, Status::ServiceUnavailable);
            let json: Value = serde_json::from_str(&page.body).expect("JSON");
            assert_eq!(json["status"], "unavailable");
            assert!(json["error"].as_str().unwrap().contains(error), "{json}");
        }
    }
}
