//! Lines over sockets: TCP, and where it makes a difference, a Unix domain socket.

use mcp_verdict_transport::{Address, Connection, OpenError, SendError, Shutdown};
use mcp_verdict_wire::{
    limits::{MESSAGE_BYTES_MAX, TRANSCRIPT_EVENTS_MAX},
    transcript::EventKind,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixListener},
    time::timeout,
};

use crate::common::{
    PATIENCE, kinds, listen, message, names, options, recorder, until_closed, wait_for,
};

async fn open<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Connection
where
    F: Future<Output = ()> + Send + 'static,
{
    let url = listen(serve).await;
    let address = url.trim_start_matches("http://").trim_end_matches("/mcp");
    let address = Address::Tcp {
        address: address.to_owned(),
    };
    Connection::open(&address, &options(), recorder())
        .await
        .expect("it listens")
}

fn is_closed(kind: &EventKind) -> bool {
    matches!(kind, EventKind::OutputClosed { .. })
}

#[tokio::test]
async fn lines_go_both_ways_until_both_sides_close() {
    let mut connection = open(|mut stream| async move {
        let mut asked = [0; 9];
        stream.read_exact(&mut asked).await.expect("a line");
        assert_eq!(&asked, b"{\"id\":1}\n");
        stream.write_all(b"{\"id\":1").await.expect("it is read");
        stream.write_all(b"}\r\n\nrest").await.expect("it is read");
        until_closed(&mut stream).await;
    })
    .await;
    let exchange = connection.send(message(r#"{"id":1}"#)).await;
    assert_eq!(exchange.expect("it is sent"), 0);
    wait_for(
        connection.recorder(),
        |kind| matches!(kind, EventKind::Received { bytes, .. } if bytes.0.is_empty()),
    )
    .await;
    connection
        .close_input()
        .await
        .expect("there is a side to close");
    wait_for(connection.recorder(), is_closed).await;
    let kinds = kinds(connection.recorder());
    assert_eq!(
        names(&kinds),
        [
            "sent",
            "received",
            "received",
            "input closed",
            "output closed"
        ]
    );
    assert!(
        matches!(&kinds[1], EventKind::Received { exchange: 0, bytes, .. }
        if *bytes.0 == *b"{\"id\":1}\r")
    );
    assert!(matches!(&kinds[4], EventKind::OutputClosed { rest } if *rest.0 == *b"rest"));
    assert!(!connection.is_usable());
    assert!(matches!(
        connection.send(message("{}")).await,
        Err(SendError::InputClosed)
    ));
}

#[tokio::test]
async fn where_nobody_listens_there_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let free = listener.local_addr().expect("it is bound").to_string();
    drop(listener);
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("nothing");
    for address in [
        Address::Tcp { address: free },
        Address::Tcp {
            address: "no-such-host.invalid:1".to_owned(),
        },
        Address::Unix { path: missing },
    ] {
        let refused = Connection::open(&address, &options(), recorder()).await;
        assert!(
            matches!(refused, Err(OpenError::Connect { .. })),
            "{address}"
        );
    }
}

#[tokio::test]
async fn a_socket_in_the_file_system_carries_lines_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).expect("a free path");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a client");
        let mut line = [0; 3];
        stream.read_exact(&mut line).await.expect("a line");
        stream.write_all(&line).await.expect("it is read");
        until_closed(&mut stream).await;
    });
    let mut connection = Connection::open(&Address::Unix { path }, &options(), recorder())
        .await
        .expect("it listens");
    connection.send(message("{}")).await.expect("it is sent");
    let is_answer = |kind: &EventKind| matches!(kind, EventKind::Received { .. });
    wait_for(connection.recorder(), is_answer).await;
    assert!(connection.http(crate::common::get("x")).await.is_err());
    assert!(connection.signal("TERM").is_err());
    connection.shutdown(Shutdown::Orderly).await;
}

#[tokio::test]
async fn an_endless_line_and_endless_lines_are_cut_off() {
    let endless = open(|mut stream| async move {
        let piece = vec![b'x'; 64 * 1024];
        while stream.write_all(&piece).await.is_ok() {}
    })
    .await;
    let is_limit = |kind: &EventKind| matches!(kind, EventKind::LimitExceeded { .. });
    let limit = wait_for(endless.recorder(), is_limit).await;
    let EventKind::LimitExceeded { limit, .. } = limit else {
        panic!("a limit");
    };
    assert!(limit.contains(&MESSAGE_BYTES_MAX.to_string()), "{limit}");
    let many =
        open(|mut stream| async move { while stream.write_all(b"\n").await.is_ok() {} }).await;
    wait_for(many.recorder(), is_limit).await;
    assert!(many.recorder().events().len() <= TRANSCRIPT_EVENTS_MAX + 1);
    for connection in [endless, many] {
        let ended = timeout(PATIENCE, connection.shutdown(Shutdown::Orderly)).await;
        ended.expect("nobody waits for who does not stop");
    }
}

#[tokio::test]
async fn a_server_that_reads_nothing_holds_nobody_up() {
    let mut connection = open(|stream| async move {
        let _held = stream;
        std::future::pending::<()>().await;
    })
    .await;
    let large = "x".repeat(8 * 1024 * 1024);
    connection
        .send(message(&large))
        .await
        .expect("it is queued");
    timeout(PATIENCE, connection.shutdown(Shutdown::Now))
        .await
        .expect("it ends");
}
