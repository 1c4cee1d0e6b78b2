//! A minimal NATS server, as a yardstick for benchmarks: `least serve --listen ADDR`.
//!
//! It has one route: from all publishers to the client that subscribed last. One
//! thread per client reads, finds the ends of the PUB lines, and writes MSG lines. It
//! has no checks, no limits and no subject matching: the extra time that a real server
//! takes is the cost of these.

#![forbid(unsafe_code)]

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

// Otherwise the benchmark would measure stock musl's memcpy.
#[cfg(all(target_os = "linux", target_env = "musl"))]
use fast_musl as _;

/// The largest number of bytes per read.
const CHUNK: usize = 64 * 1024;

const INFO: &[u8] = b"INFO {\"server_id\":\"least\",\"server_name\":\"least\",\"version\":\"0.1.0\",\"proto\":1,\"go\":\"\",\"host\":\"127.0.0.1\",\"port\":0,\"headers\":true,\"max_payload\":1048576}\r\n";

/// The subscriber's connection and its subscription ID.
type Route = Arc<Mutex<Option<(TcpStream, Vec<u8>)>>>;

fn main() -> io::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let ["serve", "--listen", address] =
        arguments.iter().map(String::as_str).collect::<Vec<_>>()[..]
    else {
        eprintln!("least: usage: least serve --listen ADDR:PORT");
        std::process::exit(2);
    };
    let listener = TcpListener::bind(address)?;
    eprintln!("listening on {}", listener.local_addr()?);
    let route = Route::default();
    for client in listener.incoming() {
        let (client, route) = (client?, Arc::clone(&route));
        client.set_nodelay(true)?;
        thread::spawn(move || serve(client, &route));
    }
    Ok(())
}

/// Serves one client until it leaves.
fn serve(mut client: TcpStream, route: &Route) -> io::Result<()> {
    client.write_all(INFO)?;
    let mut input = Vec::with_capacity(2 * CHUNK);
    let mut messages = Vec::with_capacity(2 * CHUNK);
    loop {
        let kept = input.len();
        input.resize(kept + CHUNK, 0);
        let read = client.read(&mut input[kept..])?;
        if read == 0 {
            return Ok(());
        }
        input.truncate(kept + read);
        let mut route = route.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = 0;
        let mut pongs = 0;
        messages.clear();
        while let Some(end) = line_end(&input[at..]) {
            let line = &input[at..at + end];
            let next = at + end + 2;
            match line {
                [b'P', b'U', ..] => {
                    // PUB subject [reply] size
                    let size = line.rsplit(|&byte| byte == b' ').next();
                    let size = size.unwrap_or_default().iter();
                    let size = size.fold(0, |sum, digit| sum * 10 + usize::from(digit - b'0'));
                    if input.len() < next + size + 2 {
                        break;
                    }
                    if let Some((_, sid)) = &*route {
                        let tail = &input[at + 4..next + size + 2];
                        let subject = tail.iter().position(|&byte| byte == b' ').unwrap_or(0);
                        messages.extend_from_slice(b"MSG ");
                        messages.extend_from_slice(&tail[..=subject]);
                        messages.extend_from_slice(sid);
                        messages.extend_from_slice(&tail[subject..]);
                    }
                    at = next + size + 2;
                    continue;
                }
                [b'P', b'I', ..] => pongs += 1,
                [b'S', ..] => {
                    let sid = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
                    *route = Some((client.try_clone()?, sid.to_vec()));
                }
                _ => {}
            }
            at = next;
        }
        input.drain(..at);
        if !messages.is_empty()
            && let Some((subscriber, _)) = &mut *route
            && subscriber.write_all(&messages).is_err()
        {
            *route = None;
        }
        drop(route);
        client.write_all(&b"PONG\r\n".repeat(pongs))?;
    }
}

/// Returns where a line ends, without its CRLF.
fn line_end(input: &[u8]) -> Option<usize> {
    let end = input.iter().position(|&byte| byte == b'\n')?;
    Some(end.saturating_sub(1))
}
