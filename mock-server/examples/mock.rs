//! The mock server by itself: `mock stdio [FAULT]…` or `mock http ADDRESS [FAULT]…`.

use mcp_verdict_mock::{MockConfig, Served, faults, serve_stdio};

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let words: Vec<_> = arguments.iter().map(String::as_str).collect();
    let config = |names: &[&str]| MockConfig {
        faults: names.iter().map(ToString::to_string).collect(),
        ..MockConfig::default()
    };
    match words.as_slice() {
        ["stdio", names @ ..] => match serve_stdio(&config(names)).await {
            Ok(code) => std::process::exit(code),
            Err(error) => fail(&error.to_string()),
        },
        ["http", address, names @ ..] => {
            let Ok(address) = address.parse() else {
                return fail("ADDRESS is IP:PORT");
            };
            match Served::http(&config(names), address).await {
                Ok(served) => {
                    eprintln!(
                        "{}\n{}",
                        served.streamable_http_url(),
                        served.http_sse_url()
                    );
                    served.wait().await;
                }
                Err(error) => fail(&error.to_string()),
            }
        }
        ["faults"] => faults().for_each(|fault| println!("{:40} {}", fault.name, fault.about)),
        _ => fail("usage: mock stdio [FAULT]… | mock http ADDRESS [FAULT]… | mock faults"),
    }
}

fn fail(why: &str) {
    eprintln!("error: {why}");
    std::process::exit(2);
}
