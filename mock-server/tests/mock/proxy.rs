//! The proxy: what passes through it is compared with what its server sent, byte for byte. The server is a script:
//! it reads as many bytes as it expects, and writes what it was given.

use std::{net::Ipv4Addr, time::Instant};

use mcp_verdict_mock::{Listen, MockConfig, PROXY_FAULTS, Proxy, ProxyConfig, ProxyFault, Served};
use mcp_verdict_wire::TransportKind;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::timeout,
};

use super::support::PATIENCE;

/// What a server saw of one connection.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    bytes: Vec<u8>,
    /// How the connection ended on its side: in good order, or by a reset.
    reset: bool,
}

/// A server for one connection after another: it reads until `request` bytes are there, writes, and reads on until
/// the other side ends, or, where `closes`, ends itself.
struct Script {
    url: String,
    seen: JoinHandle<Seen>,
}

impl Script {
    async fn start(scheme: &str, request: usize, response: Vec<u8>, closes: bool) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let seen = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; request];
            socket.read_exact(&mut bytes).await.unwrap();
            let written = socket.write_all(&response).await;
            if closes {
                socket.shutdown().await.unwrap();
            }
            let rest = socket.read_to_end(&mut bytes).await;
            Seen {
                bytes,
                reset: rest.is_err() || written.is_err(),
            }
        });
        Self { url, seen }
    }

    async fn seen(self) -> Seen {
        timeout(PATIENCE, self.seen).await.unwrap().unwrap()
    }
}

async fn proxy(url: &str, faults: &[&str]) -> Proxy {
    let config = ProxyConfig {
        url: url.to_owned(),
        faults: faults.iter().map(|fault| fault.parse().unwrap()).collect(),
        seed: 1,
        tls: None,
    };
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    Proxy::start(config, listen).await.unwrap()
}

fn authority(url: &str) -> &str {
    let rest = url.split_once("://").unwrap().1;
    rest.split('/').next().unwrap()
}

/// What a client got, and whether a reset ended it.
#[derive(Debug, PartialEq, Eq)]
struct Got {
    bytes: Vec<u8>,
    reset: bool,
}

async fn ask(proxy: &Proxy, request: &[u8]) -> Got {
    let mut socket = TcpStream::connect(authority(proxy.url())).await.unwrap();
    socket.write_all(request).await.unwrap();
    read(&mut socket).await
}

async fn read(socket: &mut TcpStream) -> Got {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, socket.read_to_end(&mut bytes))
        .await
        .expect("the connection ends");
    Got {
        bytes,
        reset: read.is_err(),
    }
}

const GET: &[u8] = b"GET /mcp?x=y HTTP/1.1\r\nHost: somewhere\r\n\r\n";

/// Runs `response`, which closes, through these faults.
async fn through(faults: &[&str], response: &[u8]) -> (Got, Seen) {
    let script = Script::start("http", GET.len(), response.to_vec(), true).await;
    let proxy = proxy(&script.url, faults).await;
    let got = ask(&proxy, GET).await;
    let seen = script.seen().await;
    proxy.shutdown().await;
    (got, seen)
}

fn chunked(chunks: &[&str]) -> Vec<u8> {
    let mut bytes =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
            .to_vec();
    for chunk in chunks {
        bytes.extend_from_slice(format!("{:X};e=1\r\n{chunk}\r\n", chunk.len()).as_bytes());
    }
    bytes.extend_from_slice(b"0\r\nx-trailer: y\r\n\r\n");
    bytes
}

/// As far as `text` first ends in it.
fn up_to(bytes: &[u8], text: &str) -> Vec<u8> {
    let position = bytes
        .windows(text.len())
        .position(|window| window == text.as_bytes())
        .unwrap();
    bytes[..position + text.len()].to_vec()
}

const EVENTS: [&str; 3] = [
    ": hi\n\nid: 1\ndata: one\n\n",
    "id: 2\nda",
    "ta: two\n\nid: 3\ndata: three\n\n",
];

#[tokio::test]
async fn without_faults_every_byte_passes() {
    let plain = b"HTTP/1.1 200 fine\r\ncontent-LENGTH:  5\r\nX-Odd:\t a  b \r\n\r\nhello".to_vec();
    let until_close = b"HTTP/1.0 200 OK\r\n\r\nuntil the end".to_vec();
    let broken = b"no HTTP at all\r\n\r\nbut bytes \xff\x00".to_vec();
    let bad_chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello".to_vec();
    let interim =
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n".to_vec();
    for response in [
        plain,
        chunked(&EVENTS),
        until_close,
        broken,
        bad_chunk,
        interim,
    ] {
        let (got, seen) = through(&[], &response).await;
        assert_eq!(
            got.bytes.escape_ascii().to_string(),
            response.escape_ascii().to_string()
        );
        assert!(!got.reset && !seen.reset);
        assert_eq!(seen.bytes, GET);
    }
}

#[tokio::test]
async fn pipelined_requests_pass_and_so_do_their_responses() {
    let post =
        b"POST /mcp HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let head = b"HEAD / HTTP/1.1\r\nhost: x\r\nContent-Length: 0\r\n\r\n";
    let requests = [GET, post, head, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"].concat();
    let responses = [
        chunked(&EVENTS),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n".to_vec(),
        // A response to HEAD has no body, whatever it says.
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec(),
    ]
    .concat();
    let script = Script::start("http", requests.len(), responses.clone(), true).await;
    // Only the last response is a GET without a stream: the borders before it were found.
    let proxy = proxy(&script.url, &["truncate=1,method=GET,path=/"]).await;
    let got = ask(&proxy, &requests).await;
    assert_eq!(got.bytes, responses[..responses.len() - 1]);
    assert_eq!(script.seen().await.bytes, requests);
}

#[tokio::test]
async fn ten_megabytes_pass_both_ways() {
    let body: Vec<u8> = (0..10_000_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), &body].concat();
    let mut response = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(70_001) {
        response.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        response.extend_from_slice(chunk);
        response.extend_from_slice(b"\r\n");
    }
    response.extend_from_slice(b"0\r\n\r\n");
    let script = Script::start("http", request.len(), response.clone(), true).await;
    let proxy = proxy(&script.url, &[]).await;
    let got = ask(&proxy, &request).await;
    assert!(got.bytes == response, "{} bytes", got.bytes.len());
    assert!(script.seen().await.bytes == request);
}

#[tokio::test]
async fn host_and_own_origin_name_the_server() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let server = listener.local_addr().unwrap().to_string();
    let proxy = proxy(&format!("http://{server}/mcp"), &[]).await;
    assert!(proxy.url().ends_with("/mcp"));
    let own = authority(proxy.url()).to_owned();
    let request = |host: &str| {
        format!("GET /mcp HTTP/1.1\r\nhost: {host}\r\nORIGIN: http://{host}\r\nX: {own}\r\n\r\n")
    };
    let mut client = TcpStream::connect(&own).await.unwrap();
    let (mut socket, _) = listener.accept().await.unwrap();
    for (given, expected) in [
        (own.as_str(), server.as_str()),
        ("evil.example", "evil.example"),
    ] {
        client.write_all(request(given).as_bytes()).await.unwrap();
        let expected = request(expected);
        let mut seen = vec![0; expected.len()];
        timeout(PATIENCE, socket.read_exact(&mut seen))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(String::from_utf8(seen).unwrap(), expected);
    }
}

#[tokio::test]
async fn a_cut_between_events_is_where_it_says() {
    let response = chunked(&EVENTS);
    for (events, last) in [(1, "data: one\n\n"), (2, "two\n\n"), (3, "three\n\n")] {
        let (got, _) = through(&[&format!("cut-between-events={events}")], &response).await;
        assert_eq!(got.bytes, up_to(&response, last), "after {events}");
        assert!(!got.reset);
    }
    let (got, _) = through(&["cut-between-events=4"], &response).await;
    assert_eq!(got.bytes, response);
}

#[tokio::test]
async fn a_cut_within_an_event_never_completes_it() {
    let response = chunked(&EVENTS);
    let (got, _) = through(&["cut-mid-event=1,bytes=7"], &response).await;
    assert_eq!(got.bytes, up_to(&response, "id: 2\nd"));
    let (got, _) = through(&["cut-mid-event=2,bytes=1000"], &response).await;
    assert_eq!(got.bytes, up_to(&response, "data: three\n"));
}

#[tokio::test]
async fn bodies_are_truncated_at_the_byte() {
    let response = chunked(&EVENTS);
    let (got, _) = through(&["truncate=22"], &response).await;
    assert_eq!(got.bytes, up_to(&response, "data: one\n"));
    let (got, _) = through(&["truncate"], &response).await;
    assert_eq!(got.bytes, up_to(&response, "chunked\r\n\r\n"));
    let plain = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
    let (got, _) = through(&["truncate=4"], plain).await;
    assert_eq!(got.bytes, plain[..plain.len() - 1]);
}

#[tokio::test]
async fn an_event_comes_twice_and_nothing_else() {
    let response = chunked(&EVENTS);
    let text = String::from_utf8(response.clone()).unwrap();
    let (got, _) = through(&["duplicate-event=1"], &response).await;
    let copy = "17\r\n: hi\n\nid: 1\ndata: one\n\n\r\n";
    let expected = text.replacen("one\n\n\r\n", &format!("one\n\n\r\n{copy}"), 1);
    assert_eq!(String::from_utf8(got.bytes).unwrap(), expected);
    // The event ends within a chunk, which is cut there.
    let (got, _) = through(&["duplicate-event=2"], &response).await;
    let chunk = "1C;e=1\r\nta: two\n\nid: 3\ndata: three\n\n\r\n";
    let split =
        "9\r\nta: two\n\n\r\n11\r\nid: 2\ndata: two\n\n\r\n13\r\nid: 3\ndata: three\n\n\r\n";
    let expected = text.replacen(chunk, split, 1);
    assert_ne!(expected, text);
    assert_eq!(String::from_utf8(got.bytes).unwrap(), expected);
    let stream =
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\n\ndata: b\n\n";
    let (got, _) = through(&["duplicate-event=1"], stream).await;
    let text = String::from_utf8_lossy(stream).replacen("data: a\n\n", "data: a\n\ndata: a\n\n", 1);
    assert_eq!(String::from_utf8(got.bytes).unwrap(), text);
}

#[tokio::test]
async fn a_chunk_comes_twice() {
    let response = chunked(&EVENTS);
    let text = String::from_utf8(response.clone()).unwrap();
    let (got, _) = through(&["duplicate-chunk=2"], &response).await;
    let chunk = "8;e=1\r\nid: 2\nda\r\n";
    let expected = text.replacen(chunk, &chunk.repeat(2), 1);
    assert_eq!(String::from_utf8(got.bytes).unwrap(), expected);
}

#[tokio::test]
async fn a_drip_and_a_delay_change_no_byte() {
    let response = chunked(&EVENTS);
    let begun = Instant::now();
    let faults = ["slow-drip=1..5,ms=0", "delay=120"];
    let (got, _) = through(&faults, &response).await;
    assert_eq!(got.bytes, response);
    assert!(begun.elapsed().as_millis() >= 120);
}

#[tokio::test]
async fn a_reset_reaches_both_sides() {
    let response = chunked(&EVENTS);
    let script = Script::start("http", GET.len(), response.clone(), false).await;
    let proxy = proxy(&script.url, &["reset,events=1"]).await;
    let mut socket = TcpStream::connect(authority(proxy.url())).await.unwrap();
    socket.write_all(GET).await.unwrap();
    assert!(read(&mut socket).await.reset);
    assert!(script.seen().await.reset);
}

#[tokio::test]
async fn a_half_closed_connection_can_still_be_written_to() {
    let response = chunked(&EVENTS);
    let script = Script::start("http", GET.len(), response.clone(), false).await;
    let proxy = proxy(&script.url, &["half-close,events=2"]).await;
    let mut socket = TcpStream::connect(authority(proxy.url())).await.unwrap();
    socket.write_all(GET).await.unwrap();
    let got = read(&mut socket).await;
    assert_eq!(got.bytes, up_to(&response, "two\n\n"));
    socket.write_all(GET).await.unwrap();
    drop(socket);
    let seen = script.seen().await;
    assert_eq!(seen.bytes, [GET, GET].concat());
    assert!(!seen.reset);
}

#[tokio::test]
async fn the_nth_of_those_it_concerns_is_befallen() {
    let one = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
    let stream = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 20\r\n\r\ndata: ab\n\ndata: ab\n\n";
    let responses = [one.clone(), stream.to_vec(), one, stream.to_vec()].concat();
    let requests = GET.repeat(4);
    let script = Script::start("http", requests.len(), responses.clone(), true).await;
    let proxy = proxy(&script.url, &["cut-between-events,nth=2"]).await;
    let got = ask(&proxy, &requests).await;
    assert_eq!(got.bytes, responses[..responses.len() - 10]);
}

#[tokio::test]
async fn lines_over_tcp_are_events_too() {
    let script = Script::start("tcp", 3, b"{1}\n{2}\n{3}\n".to_vec(), true).await;
    let proxy = proxy(&script.url, &["cut-between-events=2", "duplicate-event=1"]).await;
    assert!(proxy.url().starts_with("tcp://"));
    assert_eq!(ask(&proxy, b"{}\n").await.bytes, b"{1}\n{1}\n{2}\n");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_bad_gateway() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let proxy = proxy(&url, &[]).await;
    let got = ask(&proxy, GET).await;
    let text = String::from_utf8(got.bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 502 "), "{text}");
    assert!(text.contains("cannot reach the server"), "{text}");
}

#[tokio::test]
async fn a_head_without_end_is_not_held() {
    let mut request = b"GET / HTTP/1.1\r\nx: ".to_vec();
    request.resize(1_000_000, b'a');
    let script = Script::start(
        "http",
        request.len(),
        b"HTTP/1.1 431 x\r\n\r\n".to_vec(),
        true,
    )
    .await;
    let proxy = proxy(&script.url, &[]).await;
    assert!(
        ask(&proxy, &request)
            .await
            .bytes
            .starts_with(b"HTTP/1.1 431")
    );
    assert_eq!(script.seen().await.bytes.len(), request.len());
}

#[tokio::test]
async fn its_end_ends_what_it_carries() {
    let script = Script::start("http", GET.len(), chunked(&EVENTS[..1]), false).await;
    let proxy = proxy(&script.url, &[]).await;
    let mut socket = TcpStream::connect(authority(proxy.url())).await.unwrap();
    socket.write_all(GET).await.unwrap();
    let mut first = [0; 10];
    socket.read_exact(&mut first).await.unwrap();
    timeout(PATIENCE, proxy.shutdown()).await.unwrap();
    read(&mut socket).await;
    script.seen().await;
}

#[tokio::test]
async fn the_mock_is_the_same_behind_it() {
    let config = MockConfig::default();
    let served = Served::start(&config, TransportKind::StreamableHttp, &Listen::default())
        .await
        .unwrap();
    let proxy = proxy(&served.url(), &[]).await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"0"}}}"#;
    let host = authority(proxy.url());
    let request = format!(
        "POST /mcp HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nAccept: application/json, text/event-stream\r\n\
         Content-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let got = ask(&proxy, request.as_bytes()).await;
    let text = String::from_utf8(got.bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    assert!(text.contains(r#""protocolVersion":"2025-11-25""#), "{text}");
    proxy.shutdown().await;
    served.shutdown().await;
}

const POST: &[u8] = b"POST /mcp HTTP/1.1\r\nContent-Length: 10\r\n\r\n0123456789";

/// What a server sees of one request through these faults, and what its client gets: the server answers, and ends
/// its side, once it has read `most` bytes.
async fn toward_server(faults: &[&str], request: &[u8], most: usize) -> (Vec<u8>, Seen, Got) {
    let response = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
    let script = Script::start("http", most, response.clone(), true).await;
    let proxy = proxy(&script.url, faults).await;
    let got = ask(&proxy, request).await;
    let seen = script.seen().await;
    proxy.shutdown().await;
    (response, seen, got)
}

#[tokio::test]
async fn a_request_that_is_late_and_drips_comes_whole() {
    let begun = Instant::now();
    let faults = [
        "slow-drip=1..3,ms=0,toward=server",
        "delay=120,toward=server",
    ];
    let (response, seen, got) = toward_server(&faults, POST, POST.len()).await;
    assert_eq!(seen.bytes, POST);
    assert_eq!(got.bytes, response);
    assert!(begun.elapsed().as_millis() >= 120);
}

#[tokio::test]
async fn a_request_is_truncated_or_reset_at_the_byte() {
    let through = POST.len() - 6;
    let (_, seen, got) = toward_server(&["truncate=4,toward=server"], POST, through).await;
    assert_eq!(seen.bytes, POST[..through]);
    assert!(!seen.reset || got.bytes.is_empty());
    let script = Script::start("http", through, Vec::new(), false).await;
    let proxy = proxy(&script.url, &["reset=4,toward=server,method=POST"]).await;
    let mut socket = TcpStream::connect(authority(proxy.url())).await.unwrap();
    socket.write_all(POST).await.unwrap();
    assert!(read(&mut socket).await.reset);
    assert!(script.seen().await.reset);
}

#[tokio::test]
async fn a_request_that_is_half_closed_is_answered() {
    let through = POST.len() - 6;
    let (response, seen, got) = toward_server(&["half-close=4,toward=server"], POST, through).await;
    assert_eq!(seen.bytes, POST[..through]);
    assert_eq!(got.bytes, response);
    assert!(!seen.reset && !got.reset);
}

#[tokio::test]
async fn requests_and_responses_are_befallen_apart() {
    let both = [POST, POST].concat();
    let most = POST.len() * 2 - 6;
    let (response, seen, got) =
        toward_server(&["half-close=4,toward=server,nth=2"], &both, most).await;
    assert_eq!(seen.bytes, both[..most]);
    assert_eq!(got.bytes, response);
    let (_, seen, got) = toward_server(&["truncate=1,toward=client"], POST, POST.len()).await;
    assert_eq!(seen.bytes, POST);
    assert!(got.bytes.ends_with(b"\r\n\r\no"));
}

#[tokio::test]
async fn a_chunk_of_a_request_and_a_line_over_tcp_come_twice() {
    let head = "POST /mcp HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    let request = format!("{head}2\r\nab\r\n0\r\n\r\n").into_bytes();
    let twice = format!("{head}2\r\nab\r\n2\r\nab\r\n0\r\n\r\n").into_bytes();
    let faults = ["duplicate-chunk,toward=server"];
    let (_, seen, _) = toward_server(&faults, &request, twice.len()).await;
    assert_eq!(seen.bytes, twice);
    let script = Script::start("tcp", 9, Vec::new(), true).await;
    let proxy = proxy(&script.url, &["duplicate-event=2,toward=server"]).await;
    let mut socket = TcpStream::connect(authority(proxy.url())).await.unwrap();
    socket.write_all(b"a\nbc\nd\n").await.unwrap();
    socket.shutdown().await.unwrap();
    assert_eq!(script.seen().await.bytes, b"a\nbc\nbc\nd\n");
}

#[tokio::test]
async fn requests_over_http_have_no_events() {
    let start = |url: &str| {
        let config = ProxyConfig {
            url: url.to_owned(),
            faults: vec!["cut-between-events,toward=server".parse().unwrap()],
            seed: 1,
            tls: None,
        };
        Proxy::start(config, (Ipv4Addr::LOCALHOST, 0).into())
    };
    let refused = start("http://127.0.0.1:1/mcp").await.unwrap_err();
    assert!(refused.to_string().contains("`toward=server`"), "{refused}");
    assert!(start("tcp://127.0.0.1:1").await.is_ok());
}

#[test]
fn kinds_are_told_in_one_line() {
    for kind in PROXY_FAULTS {
        assert!(
            !kind.about.ends_with('.') && kind.about.len() < 100,
            "{}",
            kind.name
        );
        assert!(kind.name.parse::<ProxyFault>().is_ok());
    }
}
