//! Single exchanges, kept and given to the rules as a transcript: a fast wrong answer is no throughput.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use mcp_verdict_engine::{judge::watch, rules, view::View};
use mcp_verdict_results::{BenchmarkFinding, BenchmarkSamples, Verdict};
use mcp_verdict_vectors::Library;
use mcp_verdict_wire::{
    Revision, TransportKind,
    transcript::{Ended, Event, EventKind, Exchange, FORMAT, Head, Transcript},
};

use crate::{connect::Captured, request::Endpoint, session::Opening};

/// One exchange, with what opened its session.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) opening: Arc<Opening>,
    pub(crate) request: Vec<u8>,
    /// Header fields of its own.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) id: u64,
    pub(crate) captured: Captured,
}

/// Those that were kept, as many as there is room for.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    kept: Mutex<Vec<Sample>>,
}

impl Samples {
    pub(crate) fn add(&self, sample: Sample) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let held: usize = kept.iter().map(|it| it.captured.weight()).sum();
        if kept.len() < SAMPLES_MAX && held + sample.captured.weight() <= SAMPLES_BYTES_MAX {
            kept.push(sample);
        }
    }

    pub(crate) fn take(&self) -> Vec<Sample> {
        std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Judges samples by every rule, and counts what they find: what breaks a MUST, and what does not follow a SHOULD.
pub(crate) fn judge(
    library: &Library,
    endpoint: &Endpoint,
    samples: &[Sample],
) -> BenchmarkSamples {
    let mut found: BTreeMap<(Verdict, String), (u64, String)> = BTreeMap::new();
    let tellable = tellable(endpoint.address.transport());
    let judged = samples
        .iter()
        .filter(|sample| tellable && !sample.captured.cut);
    let mut count = 0;
    for sample in judged {
        count += 1;
        let transcript = transcript(endpoint, sample);
        let view = View::of(&transcript);
        let mut seen = BTreeSet::new();
        for watched in watch(library, rules::all(), &view) {
            if watched.verdict < Verdict::Warn {
                continue;
            }
            let key = (watched.verdict, watched.rule.id.0.clone());
            if seen.insert(key.clone()) {
                let told = &watched.finding;
                let text = format!("expected {}, got {}", told.expected, told.actual);
                found.entry(key).or_insert((0, text)).0 += 1;
            }
        }
    }
    BenchmarkSamples {
        judged: count,
        findings: found
            .into_iter()
            .map(|((verdict, rule), (samples, message))| BenchmarkFinding {
                rule,
                verdict,
                samples,
                message,
            })
            .collect(),
    }
}

/// Whether a sample holds what rules want to see of its transport. Of others no rule is asked, rather than misled.
fn tellable(transport: TransportKind) -> bool {
    matches!(
        transport,
        TransportKind::StreamableHttp
            | TransportKind::Stdio
            | TransportKind::Tcp
            | TransportKind::Unix
            | TransportKind::Ws
    )
}

/// A sample as what a recorder would have kept of it. Times are not known, and no rule asks for them.
fn transcript(endpoint: &Endpoint, sample: &Sample) -> Transcript {
    let transport = endpoint.address.transport();
    let mut telling = Telling {
        endpoint,
        transport,
        events: Vec::new(),
        exchange: 0,
    };
    let opening = &sample.opening;
    telling.exchange(&opening.request, &opening.captured, &[]);
    telling.add(EventKind::Step { index: 0 });
    let mut headers = sample.headers.clone();
    for name in ["mcp-session-id", "mcp-protocol-version"] {
        let stated = headers.iter().any(|(field, _)| field == name);
        let value = match name {
            "mcp-session-id" => opening.captured.header(name).map(str::to_owned),
            _ => Some(endpoint.revision.as_str().to_owned()),
        };
        let since = name == "mcp-session-id" || endpoint.revision >= Revision::V2025_06_18;
        if let (false, true, Some(value)) = (stated, since, value) {
            headers.push((name.to_owned(), value));
        }
    }
    telling.exchange(&sample.request, &sample.captured, &headers);
    Transcript {
        head: Head {
            format: FORMAT,
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            check: "bench".to_owned(),
            revision: endpoint.revision,
            transport,
            target: String::new(),
            seed: sample.id,
            bindings: BTreeMap::new(),
            earlier_ids: Vec::new(),
        },
        events: telling.events,
    }
}

struct Telling<'e> {
    endpoint: &'e Endpoint,
    transport: TransportKind,
    events: Vec<Event>,
    exchange: Exchange,
}

impl Telling<'_> {
    fn add(&mut self, kind: EventKind) {
        self.events.push(Event { at_us: 0, kind });
    }

    /// A request and what came for it.
    fn exchange(&mut self, request: &[u8], captured: &Captured, headers: &[(String, String)]) {
        let http = self.transport == TransportKind::StreamableHttp;
        if http {
            self.exchange += 1;
            let own = [
                ("accept", "application/json, text/event-stream"),
                ("content-type", "application/json"),
            ];
            let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
            self.add(EventKind::HttpRequest {
                exchange: self.exchange,
                label: None,
                meant: false,
                method: "POST".to_owned(),
                url: self.endpoint.address.to_string(),
                headers: own.into_iter().chain(headers.to_vec()).collect(),
                body: None,
            });
        }
        let exchange = self.exchange;
        self.add(EventKind::Sent {
            exchange,
            label: None,
            meant: false,
            bytes: request.to_vec().into(),
        });
        if let Some((status, headers)) = &captured.head {
            self.add(EventKind::HttpResponse {
                exchange,
                status: *status,
                version: "HTTP/1.1".to_owned(),
                headers: headers.clone(),
            });
        }
        for message in &captured.messages {
            if http && message.sse.is_none() {
                self.add(EventKind::HttpBody {
                    exchange,
                    bytes: message.bytes.clone().into(),
                });
            }
            self.add(EventKind::Received {
                exchange,
                sse: message.sse.clone(),
                bytes: message.bytes.clone().into(),
            });
        }
        if http {
            self.add(EventKind::HttpEnd {
                exchange,
                how: Ended::Complete,
            });
        }
    }
}

/// Samples kept of one run.
const SAMPLES_MAX: usize = 256;

/// What they may hold together, in bytes.
const SAMPLES_BYTES_MAX: usize = 8 * 1024 * 1024;
