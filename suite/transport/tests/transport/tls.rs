//! TLS with a certificate made for the test.

use std::{path::PathBuf, sync::Arc};

use mcp_verdict_transport::{Address, Connection, HeaderEdits, OpenError, Options, Outgoing};
use mcp_verdict_wire::transcript::{Ended, EventKind};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::{io::AsyncWriteExt, net::TcpListener};
use tokio_rustls::TlsAcceptor;

use crate::common::{end_of, kinds, message, open_with, options, read_request, recorder, response};

/// A server for `localhost`, and the file with its certificate.
async fn serve(directory: &tempfile::TempDir) -> (String, PathBuf) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let path = directory.path().join("root.pem");
    std::fs::write(&path, made.cert.pem()).expect("write it");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(vec![made.cert.der().clone()], key)
        })
        .expect("a configuration");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                while read_request(&mut stream).await.is_some() {
                    drop(
                        stream
                            .write_all(&response("200 OK", "application/json", "{}"))
                            .await,
                    );
                    drop(stream.flush().await);
                }
            });
        }
    });
    (format!("https://localhost:{port}/mcp"), path)
}

async fn outcome(url: &str, options: &Options, raw: bool) -> Ended {
    let mut connection = open_with(url, options).await;
    let headers = match raw {
        true => HeaderEdits::from([("accept".to_owned(), None)]),
        false => HeaderEdits::new(),
    };
    let exchange = connection
        .send(Outgoing {
            headers,
            ..message("{}")
        })
        .await
        .expect("it is sent");
    let how = end_of(connection.recorder(), exchange).await;
    let answered = kinds(connection.recorder()).contains(&EventKind::Received {
        exchange,
        sse: None,
        bytes: "{}".into(),
    });
    assert_eq!(answered, how == Ended::Complete);
    how
}

#[tokio::test]
async fn a_certificate_is_trusted_by_its_root_or_not_looked_at() {
    let directory = tempfile::tempdir().unwrap();
    let (url, root) = serve(&directory).await;
    let trusting = Options {
        ca_cert: Some(root),
        ..options()
    };
    let careless = Options {
        insecure: true,
        ..options()
    };
    for raw in [false, true] {
        assert_eq!(
            outcome(&url, &trusting, raw).await,
            Ended::Complete,
            "raw: {raw}"
        );
        assert_eq!(
            outcome(&url, &careless, raw).await,
            Ended::Complete,
            "raw: {raw}"
        );
    }
}

#[tokio::test]
async fn an_unknown_certificate_breaks_the_exchange() {
    let directory = tempfile::tempdir().unwrap();
    let (url, _) = serve(&directory).await;
    let other = tempfile::tempdir().unwrap();
    let (_, root) = serve(&other).await;
    let options = Options {
        ca_cert: Some(root),
        ..options()
    };
    for raw in [false, true] {
        let Ended::Broken(why) = outcome(&url, &options, raw).await else {
            panic!("it is trusted")
        };
        assert!(why.contains("certificate"), "{why}");
    }
}

#[tokio::test]
async fn a_file_without_certificates_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("empty.pem");
    std::fs::write(&path, "nothing here").unwrap();
    for path in [path, directory.path().join("absent.pem")] {
        let options = Options {
            ca_cert: Some(path.clone()),
            ..options()
        };
        let address = Address::StreamableHttp {
            url: "https://localhost/".to_owned(),
        };
        let error = Connection::open(&address, &options, recorder())
            .await
            .unwrap_err();
        let OpenError::Tls(why) = error else {
            panic!("{error}")
        };
        assert!(why.contains(path.to_str().unwrap()), "{why}");
    }
}
