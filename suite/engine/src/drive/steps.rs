//! Doing one step.

use std::time::Duration;

use mcp_verdict_transport::{HeaderEdits, HttpCall};
use mcp_verdict_vectors::model::{
    CancelStep, OpenStreamStep, PagesStep, SessionMode, Step, WindowStep,
};
use mcp_verdict_wire::{Era, TransportKind};
use serde_json::{Value, json};

use super::{Drive, looks_at_memory, send::Trouble, wait::Waited};
use crate::{
    judge,
    session::START_FACTOR,
    view::{Message, View},
};

/// How far answers on connections of their own may lag behind a barrier's.
const CATCH_UP: Duration = Duration::from_millis(100);

/// The same where what is missing is looked into again.
const HASTY_CATCH_UP: Duration = Duration::from_millis(5);

/// How long a server may take to say that it has a notification, before we go on all the same.
const TAKEN: Duration = Duration::from_millis(500);

/// How many waits a `pages` step may last in all.
const PAGES_WAITS: u32 = 4;

impl Drive<'_> {
    /// Does step `index`, and waits for what it waits for.
    pub(super) async fn step(&mut self, index: usize) -> Result<(), Trouble> {
        if index == 0 {
            self.catch_up().await;
        }
        let timeout = self.patience();
        let vector = self.vector;
        if looks_at_memory(&vector.steps[index]) {
            self.weigh();
        }
        match &vector.steps[index] {
            Step::Request(step) => {
                self.request(step).await?;
                self.let_it_be_taken().await;
                Ok(())
            }
            Step::Notify(step) => {
                self.notify(step).await?;
                self.let_it_be_taken().await;
                Ok(())
            }
            Step::Send(step) => {
                self.send_json(step).await?;
                self.let_it_be_taken().await;
                Ok(())
            }
            Step::SendRaw(step) => {
                self.send_raw(step).await?;
                self.let_it_be_taken().await;
                Ok(())
            }
            Step::Http(step) => self.http(step).await,
            Step::OpenStream(step) => self.open_stream(step).await,
            Step::Drop(step) => self.drop_exchange(&step.of),
            Step::Cancel(step) => {
                self.cancel(step).await?;
                self.let_it_be_taken().await;
                Ok(())
            }
            Step::Retry(step) => self.retry(step).await,
            Step::CloseInput(_) => self
                .session
                .connection
                .close_input()
                .await
                .map_err(|error| error.to_string()),
            Step::Signal(step) => self
                .session
                .connection
                .signal(&step.name)
                .map_err(|error| error.to_string()),
            Step::Barrier(_) => {
                self.barrier().await?;
                if self.wait_for_step(index, timeout).await == Waited::Over {
                    self.let_others_catch_up().await;
                }
                Ok(())
            }
            Step::Window(step) => self.window(step).await,
            Step::Pages(step) => self.pages(index, step).await,
            Step::Expect(expect) => {
                let patience = expect.within_ms.map_or(timeout, Duration::from_millis);
                self.wait_for_step(index, patience).await;
                Ok(())
            }
            Step::Capture(_) => {
                self.wait_for_step(index, timeout).await;
                Ok(())
            }
        }
    }

    /// How long an answer is waited for. A program that has said nothing yet may have to start first.
    fn patience(&mut self) -> Duration {
        let bare = self.vector.session == SessionMode::None;
        if !bare || self.head.transport != TransportKind::Stdio {
            return self.limits.timeout;
        }
        self.read();
        match self.reading.targets().next() {
            Some(_) => self.limits.timeout,
            None => self.limits.timeout.saturating_mul(START_FACTOR),
        }
    }

    /// Over HTTP what is sent next may overtake a notification. As any client would, this waits until the
    /// server says that it has it. Over HTTP+SSE the same holds for requests, whose answers come elsewhere, and
    /// anywhere for one that the network loses: it is lost before we go on.
    async fn let_it_be_taken(&mut self) {
        self.read();
        let posts_alone = self.head.transport == TransportKind::HttpSse;
        let last = self.reading.ours().next_back();
        let Some(exchange) = last
            .filter(|message| message.exchange != 0)
            .filter(|message| {
                let lost = self.network(message.label.as_deref());
                !message.is_request()
                    || posts_alone
                    || lost.is_some_and(|lost| lost.fault.is_of_request())
            })
            .map(|message| message.exchange)
        else {
            return;
        };
        let waited = self.wait(TAKEN, |view| {
            view.exchanges
                .get(&exchange)
                .is_none_or(|of| of.response.is_some() || of.ended.is_some())
        });
        if waited.await == Waited::CutOff {
            self.cut_off = true;
        }
    }

    /// A server may answer in another order than it was asked, and over Streamable HTTP every exchange may have
    /// a connection of its own: an answer may be overtaken by that of a barrier, and has a moment to arrive.
    async fn let_others_catch_up(&mut self) {
        let in_exchanges = self.head.transport.has_exchanges();
        let is_over = |view: &View<'_>, message: &Message| {
            let exchange = view.exchanges.get(&message.exchange);
            in_exchanges && exchange.is_none_or(|of| of.ended.is_some())
        };
        let haste = self.limits.haste;
        let moment = haste.map_or(CATCH_UP, |_| HASTY_CATCH_UP);
        let mut waited = self
            .wait(moment, |view| {
                let mut open = view.unanswered_of_ours();
                open.all(|message| {
                    haste.is_some() && !message.is_request() || is_over(view, message)
                })
            })
            .await;
        if let Some(haste) = haste.filter(|_| waited == Waited::TimedOut) {
            waited = self
                .wait(haste.patience, |view| {
                    let mut open = view.unanswered_of_ours();
                    !open.any(|message| {
                        !is_over(view, message) && (haste.is_worth_it)(view, message)
                    })
                })
                .await;
        }
        if waited == Waited::CutOff {
            self.cut_off = true;
        }
    }

    async fn window(&mut self, step: &WindowStep) -> Result<(), Trouble> {
        let until = step.until.as_ref();
        let until = until.map(|until| self.substitute(until)).transpose()?;
        let since = self.recorder.look(<[_]>::len);
        let over = |view: &View<'_>| {
            let pattern = until.as_ref();
            pattern.is_some_and(|pattern| judge::has_come(view, since, pattern))
        };
        let window = Duration::from_millis(step.ms.min(WINDOW_MS_MAX));
        if self.wait(window, over).await == Waited::CutOff {
            self.cut_off = true;
        }
        Ok(())
    }

    async fn open_stream(&mut self, step: &OpenStreamStep) -> Result<(), Trouble> {
        let mut headers = HeaderEdits::new();
        if let Some(id) = &step.last_event_id {
            headers.insert("last-event-id".to_owned(), Some(self.substitute_text(id)?));
        }
        headers.extend(self.edits(&step.headers)?);
        self.call(HttpCall {
            method: "GET".to_owned(),
            path: None,
            headers,
            body: None,
            label: Some(step.label.clone()),
            meant: !step.headers.is_empty(),
            ..HttpCall::default()
        })
        .await
    }

    fn drop_exchange(&mut self, label: &str) -> Result<(), Trouble> {
        self.read();
        let exchange = self
            .reading
            .exchange_named(label)
            .map(|exchange| exchange.number);
        let number = exchange.ok_or_else(|| format!("nothing is open as `{label}`"))?;
        self.session.connection.drop_exchange(number);
        Ok(())
    }

    async fn cancel(&mut self, step: &CancelStep) -> Result<(), Trouble> {
        let modern_http = self.head.revision.era() == Era::Modern
            && self.head.transport == TransportKind::StreamableHttp;
        if modern_http {
            return self.drop_exchange(&step.request);
        }
        self.read();
        let request = self.reading.request_named(&step.request);
        let id = request.and_then(|request| request.id().cloned());
        let id = id.ok_or_else(|| format!("no request is named `{}`", step.request))?;
        let mut params = json!({"requestId": id});
        if let Some(reason) = &step.reason {
            params["reason"] = Value::String(self.substitute_text(reason)?);
        }
        self.tell("notifications/cancelled", params).await
    }

    /// Follows `nextCursor`, until there is none, or one comes again.
    async fn pages(&mut self, index: usize, step: &PagesStep) -> Result<(), Trouble> {
        let method = self.substitute_text(&step.method)?;
        let begun = std::time::Instant::now();
        let patience = self.limits.timeout * PAGES_WAITS;
        let mut cursors: Vec<Value> = Vec::new();
        for page in 0..step.max {
            let label = format!("{}.{page}", step.label);
            let params = cursors.last().map(|cursor| json!({"cursor": cursor}));
            self.ask(&method, params, Some(label.clone())).await?;
            let left = patience
                .saturating_sub(begun.elapsed())
                .min(self.limits.timeout);
            let vector = self.vector;
            let over = |view: &View<'_>| judge::is_answered(vector, view, &label);
            let waited = self.wait(left, over).await;
            self.note(index, waited, left);
            if waited != Waited::Over {
                return Ok(());
            }
            let request = self.reading.request_named(&label);
            let answer = request.and_then(|request| self.reading.response_to(request));
            let next = answer.and_then(|answer| answer.result()?.get("nextCursor"));
            match next {
                // A cursor that is no string is the target's mistake, and not to be repeated.
                Some(next) if next.is_string() && !cursors.contains(next) => {
                    cursors.push(next.clone());
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }
}

/// Longest window, in milliseconds, whatever a vector says.
const WINDOW_MS_MAX: u64 = 2000;
