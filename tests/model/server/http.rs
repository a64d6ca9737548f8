//! As much of HTTP as the agent programs need: one request per connection, bodies by length or in chunks, answers as JSON or
//! as a stream of events.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use serde_json::Value;

use super::{Act, Asked};

/// More than any program sends.
const BODY: u64 = 64 << 20;

/// Writes an answer.
pub(super) type Speak = fn(&TcpStream, &Asked, &[Act]) -> io::Result<()>;

pub(super) struct Request {
    pub(super) path: String,
    pub(super) body: Vec<u8>,
}

/// Reads a request; `None` when the client closed without one.
pub(super) fn read(stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let (mut length, mut chunked) = (0, false);
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "transfer-encoding" => chunked = value.trim() == "chunked",
            "expect" => (&mut &*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
            _ => {}
        }
    }
    let mut body = Vec::new();
    if chunked {
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let size = u64::from_str_radix(line.trim(), 16).unwrap_or(0).min(BODY);
            (&mut reader).take(size).read_to_end(&mut body)?;
            reader.read_line(&mut line)?;
            if size == 0 {
                break;
            }
        }
    } else {
        reader.take(u64::min(length, BODY)).read_to_end(&mut body)?;
    }
    Ok(Some(Request { path, body }))
}

pub(super) fn json(mut stream: &TcpStream, status: u16, headers: &[(&str, String)], body: &Value) -> io::Result<()> {
    let body = body.to_string();
    let mut head = format!(
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n",
        body.len()
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes())
}

pub(super) fn begin_stream(mut stream: &TcpStream) -> io::Result<()> {
    stream.write_all(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\nconnection: close\r\n\r\n",
    )
}

/// One event of a stream, named by its `type` if it has one.
pub(super) fn event(mut stream: &TcpStream, data: &Value) -> io::Result<()> {
    let name = data["type"].as_str().map(|name| format!("event: {name}\n")).unwrap_or_default();
    stream.write_all(format!("{name}data: {data}\n\n").as_bytes())
}

/// Waits until the client closes.
pub(super) fn wait_for_end(mut stream: &TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer)? > 0 {}
    Ok(())
}
