//! The pages by their paths.

use serde_json::{Value, json};

use super::super::health::Health;
use super::super::shared::Shared;
use super::asking::Refusal;
use super::http::{Method, Page, Status, options};
use super::query::Query;
use super::state::State;
use super::{connz, leafz, metrics, subsz, varz};

const JSON: &str = "application/json";

/// All paths.
const PATHS: [&str; 8] = [
    "/",
    "/healthz",
    "/varz",
    "/connz",
    "/subsz",
    "/subscriptionsz",
    "/leafz",
    "/metrics",
];

/// Returns the response to a request for a path with its query, as bytes. Lists may take at most
/// `room` bytes.
pub(super) fn answer(
    state: &mut State,
    method: Method,
    target: &str,
    shared: &Shared,
    room: usize,
) -> Vec<u8> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if method == Method::Options && path == "*" {
        return options();
    }
    let base = shared.config.http_base_path.trim_end_matches('/');
    let path = match path.strip_prefix(base) {
        Some("") if !base.is_empty() => "/",
        Some(rest) => rest,
        None => "",
    };
    let Some(&path) = PATHS.iter().find(|known| **known == path) else {
        return Page::text(Status::NotFound, "not found; / lists the pages").answer(method);
    };
    let page = match method {
        Method::Options => return options(),
        Method::Other => Page::text(Status::MethodNotAllowed, "the method must be GET or HEAD"),
        Method::Get | Method::Head => {
            *state.requests.entry(path).or_default() += 1;
            page(state, path, query, shared, room)
        }
    };
    page.answer(method)
}

fn page(state: &State, path: &str, query: &str, shared: &Shared, room: usize) -> Page {
    match path {
        "/healthz" => health(shared.health()),
        "/varz" => Page {
            status: Status::Ok,
            content: JSON,
            body: format!("{:#}\n", varz::varz(state, shared)),
        },
        "/connz" => {
            let page = |query: &Query| connz::connz(query, shared, &state.clock, room);
            json_for(query, page)
        }
        "/subsz" | "/subscriptionsz" => json_for(query, |query| subsz::subsz(query, shared, room)),
        "/leafz" => Page {
            status: Status::Ok,
            content: JSON,
            body: format!("{:#}\n", leafz::leafz(shared)),
        },
        "/metrics" => Page {
            status: Status::Ok,
            content: "text/plain; version=0.0.4",
            body: metrics::metrics(state, shared),
        },
        _ => Page::text(Status::Ok, &PATHS[1..].join("\n")),
    }
}

/// Returns the page that `answer` makes for a query.
fn json_for(query: &str, answer: impl FnOnce(&Query) -> Result<String, Refusal>) -> Page {
    let query = Query::parse(query).map_err(Refusal::from);
    match query.and_then(|query| answer(&query)) {
        Ok(body) => Page {
            status: Status::Ok,
            content: JSON,
            body,
        },
        Err(refusal) => refusal.page(),
    }
}

/// Returns nats-server's response.
fn health(health: Health) -> Page {
    let (status, value): (_, Value) = match health {
        Health::Ok => (Status::Ok, json!({ "status": "ok" })),
        Health::LameDuck => (
            Status::InternalServerError,
            json!({ "status": "error", "error": health.to_string() }),
        ),
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
    fn health_pages_report_the_problem() {
        let page = health(Health::Ok);
        assert_eq!(page.status, Status::Ok);
        assert_eq!(page.body, r#"{"status":"ok"}"#);
        let page = health(Health::LameDuck);
        assert_eq!(page.status, Status::InternalServerError);
        assert_eq!(
            page.body,
            r#"{"error":"failed to be ready for connections after 1ms: server","status":"error"}"#
        );
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
