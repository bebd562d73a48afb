//! All the ways to reach a target, with what it offers on each.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, stream};
use mcp_verdict_transport::Address;
use mcp_verdict_wire::{Era, Revision, TransportKind};
use serde_json::Value;

use super::{
    Attempt, ProbeError,
    locate::{has_credential, locate},
    reach::reach,
    speak::{Spoken, speak},
    tls::speaks_tls,
};
use crate::{
    fixtures::Bound,
    plan::{Prepared, PreparedWay},
    session::SessionError,
    target::{TargetSpec, Url, shell_words},
};

/// What was found out about a target.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// The ways to reach it: by transport, then by revision.
    pub ways: Vec<Way>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// One address and one revision that is spoken there.
#[derive(Clone, Debug)]
pub struct Way {
    /// Where.
    pub address: Address,
    /// Over which transport.
    pub transport: TransportKind,
    /// In which revision.
    pub revision: Revision,
    /// What the target says of itself.
    pub server_info: Option<Value>,
    /// What it declares that it can do.
    pub capabilities: Value,
    /// What it tells models about its use.
    pub instructions: Option<String>,
    /// Whether it hands out a session id.
    pub session_id: bool,
    /// What it lists, and the fixtures found.
    pub bound: Bound,
}

/// Finds out how the target can be reached, which of the revisions asked for (all, if none) it speaks, and
/// what it offers in each.
///
/// # Errors
/// When there is no way to judge it.
pub async fn discover(spec: &TargetSpec) -> Result<Discovery, ProbeError> {
    let mut found = search(spec).await;
    if let Err(ProbeError::Broken { at, is_tls, .. }) = &mut found
        && at.starts_with("http://")
        && let Ok(url) = Url::parse(at)
    {
        *is_tls = speaks_tls(&url).await;
    }
    found
}

async fn search(spec: &TargetSpec) -> Result<Discovery, ProbeError> {
    let mut notes = Vec::new();
    let addresses = addresses(spec, &mut notes).await?;
    let mut ways = Vec::new();
    let mut attempts = Vec::new();
    let mut fatal = None;
    for address in &addresses {
        match (Probe { address, spec }).run().await {
            Ok(spoken) => gather(address, spoken, &mut ways, &mut attempts, &mut notes),
            Err(error) => {
                // One transport that fails does not hide another that works.
                if addresses.len() > 1 {
                    notes.push(format!("{}: {error}", address.transport()));
                }
                fatal = fatal.or(Some(error));
            }
        }
    }
    match (ways.is_empty(), fatal) {
        (false, _) => Ok(Discovery { ways, notes }),
        (true, Some(error)) => Err(error),
        (true, None) => Err(ProbeError::SpeaksNone { attempts }),
    }
}

impl Discovery {
    /// The target, ready to be judged.
    #[must_use]
    pub fn prepared(self, spec: &TargetSpec) -> Prepared {
        let mut notes = self.notes;
        for way in &self.ways {
            let place = format!("{} over {}", way.revision, way.transport);
            notes.extend(
                way.bound
                    .notes
                    .iter()
                    .map(|note| format!("{place}: {note}")),
            );
        }
        let custom: BTreeSet<_> = self.ways.iter().map(|way| way.transport).collect();
        notes.extend(
            custom
                .into_iter()
                .filter(|transport| transport.is_custom())
                .map(|transport| {
                    format!("{transport} is a custom binding outside the specification")
                }),
        );
        Prepared {
            name: spec.name.clone(),
            reproduce: spec.reproduce.clone(),
            options: spec.options.clone(),
            ways: self.ways.into_iter().map(Way::prepared).collect(),
            notes,
        }
    }
}

impl Way {
    fn prepared(self) -> PreparedWay {
        let variable = |fixture: String| fixture.replace('-', "_");
        PreparedWay {
            address: self.address,
            transport: self.transport,
            revision: self.revision,
            server_info: self.server_info,
            capabilities: self.capabilities,
            session_id: self.session_id,
            bindings: self
                .bound
                .values
                .into_iter()
                .map(|(fixture, value)| (variable(fixture), value))
                .collect(),
            missing: self
                .bound
                .missing
                .into_iter()
                .map(|missing| (missing.fixture.clone(), missing.way_out()))
                .collect(),
            tools: self.bound.lists.tools,
        }
    }
}

/// Where to look, as far as the transports asked for allow.
async fn addresses(spec: &TargetSpec, notes: &mut Vec<String>) -> Result<Vec<Address>, ProbeError> {
    let asked = &spec.declared.transports;
    let wanted = |transport: TransportKind| asked.is_empty() || asked.contains(&transport);
    let mut addresses: Vec<Address> = spec
        .addresses
        .iter()
        .filter(|it| wanted(it.transport()))
        .cloned()
        .collect();
    let may_be_http = wanted(TransportKind::StreamableHttp) || wanted(TransportKind::HttpSse);
    for url in spec.urls.iter().filter(|_| may_be_http) {
        addresses.push(locate(url, spec, notes).await?);
    }
    if !addresses.is_empty() {
        return Ok(addresses);
    }
    let mut has: Vec<TransportKind> = spec.addresses.iter().map(Address::transport).collect();
    if !spec.urls.is_empty() {
        has.extend([TransportKind::StreamableHttp, TransportKind::HttpSse]);
    }
    Err(ProbeError::NoTransport {
        asked: asked.clone(),
        has,
    })
}

/// Sorts what the attempts at one address brought.
fn gather(
    address: &Address,
    spoken: Vec<Spoken>,
    ways: &mut Vec<Way>,
    attempts: &mut Vec<Attempt>,
    notes: &mut Vec<String>,
) {
    let transport = address.transport();
    let mut failed = Vec::new();
    let mut banner = None;
    let before = ways.len();
    for Spoken {
        revision,
        outcome,
        banner: line,
        ..
    } in spoken
    {
        banner = banner.or(line);
        match outcome {
            Ok(way) => ways.push(*way),
            Err(error) => failed.push(Attempt {
                transport,
                revision,
                got: error.to_string(),
            }),
        }
    }
    if ways.len() > before {
        for attempt in &failed {
            notes.push(format!(
                "{} is not spoken over {transport}: {}",
                attempt.revision, attempt.got
            ));
        }
        if let Some(line) = banner {
            let place = match transport {
                TransportKind::Stdio => "standard output",
                _ => "the channel",
            };
            notes.push(format!("{place} carries what is no message: `{line}`"));
        }
    }
    attempts.extend(failed);
}

/// The attempts at one address.
struct Probe<'p> {
    address: &'p Address,
    spec: &'p TargetSpec,
}

impl Probe<'_> {
    /// An attempt in each revision, oldest first.
    async fn run(&self) -> Result<Vec<Spoken>, ProbeError> {
        let transport = self.address.transport();
        let asked = &self.spec.declared.revisions;
        let mut revisions: Vec<Revision> = Revision::ALL
            .into_iter()
            .filter(|revision| transport.carries(*revision))
            .filter(|revision| asked.is_empty() || asked.contains(revision))
            .collect();
        if revisions.is_empty() {
            return Err(ProbeError::NoRevision {
                transport,
                asked: asked.clone(),
            });
        }
        let is_program = transport == TransportKind::Stdio;
        if !is_program && let Ok(url) = Url::parse(&self.address.to_string()) {
            reach(&url, self.spec).await?;
        }
        let mut spoken = Vec::new();
        // The newest legacy revision is the likeliest to be answered, by whatever is there.
        let likeliest = revisions
            .iter()
            .rposition(|it| it.era() == Era::Legacy)
            .unwrap_or(0);
        let first = revisions.remove(likeliest);
        let timeout = self.spec.timeout;
        let started = Instant::now();
        let patience = if is_program {
            self.spec.start_timeout
        } else {
            timeout
        };
        spoken.push(self.settled(self.attempt(first, patience).await)?);
        // Now it is known how long a start takes; after a silence it is not waited for as long again.
        let patience = if is_program {
            timeout + started.elapsed().min(timeout)
        } else {
            timeout
        };
        if let Some(modern) = revisions.pop_if(|revision| revision.era() == Era::Modern) {
            spoken.push(self.settled(self.attempt(modern, patience).await)?);
        }
        self.end_if_hopeless(&spoken)?;
        if !spoken.iter().all(|it| is_silence(&it.outcome)) {
            let rest = revisions
                .into_iter()
                .map(|revision| self.attempt(revision, patience));
            spoken.extend(
                stream::iter(rest)
                    .buffered(AT_A_TIME)
                    .collect::<Vec<_>>()
                    .await,
            );
        }
        spoken.sort_by_key(|it| it.revision);
        // Sessions end while others begin; here the last of them is over.
        for closing in spoken.iter_mut().filter_map(|it| it.closing.take()) {
            // It is bounded, and panics nowhere.
            drop(closing.await);
        }
        Ok(spoken)
    }

    async fn attempt(&self, revision: Revision, patience: Duration) -> Spoken {
        speak(self.address, revision, patience, self.spec).await
    }

    /// What was spoken, unless it shows that no other attempt can do better.
    fn settled(&self, spoken: Spoken) -> Result<Spoken, ProbeError> {
        let Spoken {
            revision,
            outcome,
            banner,
            closing,
        } = spoken;
        let outcome = match outcome {
            Ok(way) => Ok(way),
            Err(error) => match ProbeError::of(error, &self.shown(), has_credential(self.spec)) {
                Ok(fatal) => return Err(fatal),
                Err(error) => Err(error),
            },
        };
        Ok(Spoken {
            revision,
            outcome,
            banner,
            closing,
        })
    }

    /// Tells a program that ends, or prints something else, from one that speaks another revision.
    fn end_if_hopeless(&self, spoken: &[Spoken]) -> Result<(), ProbeError> {
        if spoken.iter().any(|it| it.outcome.is_ok()) {
            return Ok(());
        }
        let command = self.shown();
        let is_exit = |it: &&Spoken| matches!(it.outcome, Err(SessionError::Exited { .. }));
        if spoken.iter().all(|it| is_exit(&it))
            && let Some(Err(SessionError::Exited {
                code,
                signal,
                stderr,
                not_json,
                ..
            })) = spoken.first().map(|it| &it.outcome)
        {
            return Err(ProbeError::Exited {
                command,
                code: *code,
                signal: *signal,
                stderr: stderr.clone(),
                not_json: not_json.clone(),
            });
        }
        let line = spoken.iter().find_map(|it| match &it.outcome {
            Err(SessionError::NotJson { line }) => Some(line.clone()),
            _ => None,
        });
        match line {
            Some(line) if spoken.iter().all(|it| is_silence(&it.outcome)) => {
                Err(ProbeError::NotMcp { command, line })
            }
            _ => Ok(()),
        }
    }

    /// The address for a person, without secrets.
    fn shown(&self) -> String {
        let text = match self.address {
            Address::Command {
                program, arguments, ..
            } => {
                let words: Vec<String> =
                    std::iter::once(program).chain(arguments).cloned().collect();
                shell_words(&words)
            }
            other => other.to_string(),
        };
        self.spec.options.redactor.text(&text)
    }
}

fn is_silence<T>(outcome: &Result<T, SessionError>) -> bool {
    matches!(
        outcome,
        Err(SessionError::NoAnswer { .. } | SessionError::NotJson { .. })
    )
}

/// Attempts at a time: more would compete with the target for the machine.
const AT_A_TIME: usize = 2;
