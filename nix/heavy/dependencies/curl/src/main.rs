//! curl with OpenSSL inside: a transfer from a server in this program.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread;

use curl::easy::Easy;

/// Answers one request with the path that it asks for.
fn serve(listener: &TcpListener) -> std::io::Result<()> {
    let (mut stream, _) = listener.accept()?;
    let head: Vec<String> = BufReader::new(stream.try_clone()?)
        .lines()
        .take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()))
        .collect::<Result<_, _>>()?;
    let path = head[0].split(' ').nth(1).unwrap_or_default();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{path}",
        path.len()
    )
}

fn main() -> Result<(), curl::Error> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
    let address = listener.local_addr().expect("the address listened on");
    let server = thread::spawn(move || serve(&listener));

    let mut body = Vec::new();
    let mut easy = Easy::new();
    easy.url(&format!("http://{address}/by-curl"))?;
    let mut transfer = easy.transfer();
    transfer.write_function(|part| {
        body.extend_from_slice(part);
        Ok(part.len())
    })?;
    transfer.perform()?;
    drop(transfer);
    server.join().expect("the server ends").expect("serve");
    assert_eq!(easy.response_code()?, 200);
    assert_eq!(body, b"/by-curl");

    let version = curl::Version::get();
    let tls = version.ssl_version().expect("curl has TLS");
    assert!(tls.starts_with("OpenSSL/"), "curl's TLS is {tls}");
    println!("curl {} with {tls}", version.version());
    Ok(())
}
