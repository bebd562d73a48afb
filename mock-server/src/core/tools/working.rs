//! Tools that take time or change something: progress, logs, cancellation, list changes.

use std::time::Duration;

use mcp_verdict_wire::{Era, Revision};
use serde_json::{Map, Value};
use tokio::time::sleep;

use super::{
    super::{call::Call, logging::Level, resources::WATCHED, subscriptions::Change},
    content::text,
};

const STEP: Duration = Duration::from_millis(50);
const SLOW_MS: u64 = 3000;
/// How often `slow` reports.
const REPORT_MS: u64 = 200;

/// Runs the tool, if it is one of these.
pub(super) async fn run(call: &Call, name: &str, arguments: &Map<String, Value>) -> Option<Value> {
    let said = match name {
        "test_tool_with_logging" | "test_logging_tool" => {
            call.log(Level::Info, "Tool execution started").await;
            sleep(STEP).await;
            call.log(Level::Info, "Tool processing data").await;
            sleep(STEP).await;
            call.log(Level::Info, "Tool execution completed").await;
            "Logged three times."
        }
        "test_tool_with_progress" => {
            call.progress(0, 100, "Started").await;
            sleep(STEP).await;
            call.progress(50, 100, "Half way").await;
            sleep(STEP).await;
            call.progress(100, 100, "Finished").await;
            "Reported three times."
        }
        "test_reconnection" => {
            reconnect(call).await;
            "The stream went on after its connection."
        }
        "slow" => {
            let duration_ms = arguments
                .get("milliseconds")
                .and_then(Value::as_u64)
                .unwrap_or(SLOW_MS);
            work_slowly(call, duration_ms).await;
            "Done at last."
        }
        "test_trigger_tool_change" => changed(call, Change::Tools),
        "test_trigger_prompt_change" => changed(call, Change::Prompts),
        "test_trigger_resource_change" => changed(call, Change::Resources),
        "test_trigger_resource_update" => changed(call, Change::Resource(WATCHED)),
        "test_end_subscriptions" => {
            call.core.end_subscriptions();
            "Ended."
        }
        _ => return None,
    };
    Some(text(said))
}

/// SHOULD NOT before 2025-11-25: there a stream ends after its response only.
async fn reconnect(call: &Call) {
    if call.revision.era() == Era::Legacy && call.revision >= Revision::V2025_11_25 {
        call.hang_up().await;
        sleep(2 * STEP).await;
    }
}

async fn work_slowly(call: &Call, duration_ms: u64) {
    let mut done_ms = 0;
    while done_ms < duration_ms {
        let step_ms = REPORT_MS.min(duration_ms - done_ms);
        sleep(Duration::from_millis(step_ms)).await;
        done_ms += step_ms;
        call.progress(done_ms, duration_ms, "Working").await;
    }
}

fn changed(call: &Call, change: Change) -> &'static str {
    call.core.change(change);
    "Changed."
}
