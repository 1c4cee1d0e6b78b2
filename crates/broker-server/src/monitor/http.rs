//! The part of HTTP that monitoring needs.

/// Largest request, in bytes.
pub(super) const MOST_REQUEST: usize = 4096;

/// Most header lines of a request.
const MOST_HEADERS: usize = 32;

/// The supported methods, for `Allow`.
const METHODS: &str = "GET, HEAD, OPTIONS";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
    Options,
    /// An unsupported method.
    Other,
}

/// The state of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Request<'a> {
    /// The start of a request.
    Incomplete,
    /// Not a request, or a too large one.
    Bad,
    /// The method, and the path with its query.
    Complete(Method, &'a str),
}

/// Parses a request.
pub(super) fn parse(bytes: &[u8]) -> Request<'_> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {
            let method = match request.method.unwrap_or_default() {
                "GET" => Method::Get,
                "HEAD" => Method::Head,
                "OPTIONS" => Method::Options,
                _ => Method::Other,
            };
            Request::Complete(method, request.path.unwrap_or_default())
        }
        Ok(httparse::Status::Partial) if bytes.len() < MOST_REQUEST => Request::Incomplete,
        _ => Request::Bad,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Ok,
    NoContent,
    BadRequest,
    NotFound,
    MethodNotAllowed,
    InternalServerError,
    ServiceUnavailable,
}

impl Status {
    fn line(self) -> &'static str {
        match self {
            Self::Ok => "200 OK",
            Self::NoContent => "204 No Content",
            Self::BadRequest => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::MethodNotAllowed => "405 Method Not Allowed",
            Self::InternalServerError => "500 Internal Server Error",
            Self::ServiceUnavailable => "503 Service Unavailable",
        }
    }
}

/// The content of a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) status: Status,
    /// The content type.
    pub(super) content: &'static str,
    pub(super) body: String,
}

impl Page {
    /// Returns a page with one line of text.
    pub(super) fn text(status: Status, line: &str) -> Self {
        Self {
            status,
            content: "text/plain; charset=utf-8",
            body: format!("{line}\n"),
        }
    }

    /// Returns the response to a request with this method, as bytes. It is the last of its
    /// connection.
    pub(super) fn answer(&self, method: Method) -> Vec<u8> {
        let Self {
            status,
            content,
            body,
        } = self;
        let line = status.line();
        let length = body.len();
        let allow = match status {
            Status::MethodNotAllowed => format!("Allow: {METHODS}\r\n"),
            _ => String::new(),
        };
        let body = if method == Method::Head { "" } else { body };
        format!(
            "HTTP/1.1 {line}\r\n{allow}Content-Type: {content}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// Returns the response to OPTIONS, as bytes.
pub(super) fn options() -> Vec<u8> {
    let line = Status::NoContent.line();
    format!("HTTP/1.1 {line}\r\nAllow: {METHODS}\r\nConnection: close\r\n\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_recognized() {
        let too_long = [b"GET / HTTP/1.1\r\nX: ", &[b'x'; MOST_REQUEST][..]].concat();
        for (bytes, request) in [
            (&b""[..], Request::Incomplete),
            (b"GET /varz", Request::Incomplete),
            (b"GET /varz HTTP/1.1\r\nHost: a\r\n", Request::Incomplete),
            (
                b"GET /varz?x=1 HTTP/1.1\r\nHost: a\r\n\r\n",
                Request::Complete(Method::Get, "/varz?x=1"),
            ),
            (
                b"HEAD / HTTP/1.0\r\n\r\n",
                Request::Complete(Method::Head, "/"),
            ),
            (
                b"OPTIONS * HTTP/1.1\r\n\r\n",
                Request::Complete(Method::Options, "*"),
            ),
            (
                b"POST / HTTP/1.1\r\n\r\nbody",
                Request::Complete(Method::Other, "/"),
            ),
            (b"\x16\x03\x01", Request::Bad),
            (&too_long[..MOST_REQUEST], Request::Bad),
        ] {
            assert_eq!(parse(bytes), request, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn head_is_get_without_its_body() {
        let page = Page::text(Status::Ok, "fine");
        let get = page.answer(Method::Get);
        let head = page.answer(Method::Head);
        assert_eq!(get, [&head[..], b"fine\n"].concat());
        assert!(head.ends_with(b"Content-Length: 5\r\nConnection: close\r\n\r\n"));
    }
}
