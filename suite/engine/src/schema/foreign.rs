//! Schemas that a target sent: a tool's `inputSchema`, its `outputSchema`, a form's. Nothing is
//! fetched, and neither the schema nor a value for it can make us work without bound.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use jsonschema::{Draft, PatternOptions, ValidationError, error::ValidationErrorKind};
use serde_json::Value;

use super::{
    Violation,
    bounds::{Refusal, Work},
    explain,
};

/// A foreign schema, ready to judge values.
#[derive(Debug)]
pub struct Foreign {
    validator: jsonschema::Validator,
    work: Work,
}

/// Why a foreign schema cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForeignError {
    /// A dialect that is not known here.
    #[error("unknown JSON Schema dialect `{0}`")]
    Dialect(String),
    /// It is no valid schema: the only reason that is surely the target's fault.
    #[error("not a valid JSON Schema: {0}")]
    Invalid(String),
    /// It applies itself to the same value, without end or too deeply.
    #[error("the schema applies itself to the same value without end, or too deeply")]
    Recursion,
    /// It refers to something outside of itself, which is never fetched.
    #[error("the schema refers to `{0}`, which is not in the schema")]
    Reference(String),
    /// It is too big.
    #[error("the schema is too big")]
    Size,
    /// It holds something that cannot be compiled here, such as a regular expression of a flavour
    /// that is not known.
    #[error("the schema cannot be compiled: {0}")]
    Unsupported(String),
}

/// A value that was not judged, because the schema makes it too much work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("judging the value by this schema takes too much work")]
pub struct Undecided;

/// Prepares a foreign schema. Without `$schema` it is read as JSON Schema 2020-12.
///
/// # Errors
///
/// If it is no valid schema, refers to anything outside of itself, or would take unbounded work.
pub fn foreign(schema: &Value) -> Result<Foreign, ForeignError> {
    let draft = dialect(schema)?;
    let work = Work::of(schema).map_err(|refusal| match refusal {
        Refusal::Recursion => ForeignError::Recursion,
        Refusal::Reference(reference) => {
            ForeignError::Reference(explain::shortened(&reference, 100))
        }
        Refusal::Size => ForeignError::Size,
    })?;
    let patterns = PatternOptions::fancy_regex()
        .backtrack_limit(BACKTRACKS_MAX)
        .size_limit(REGEX_BYTES_MAX)
        .dfa_size_limit(REGEX_BYTES_MAX);
    let options = jsonschema::options()
        .with_draft(draft)
        .offline()
        .should_validate_formats(false)
        .with_pattern_options(patterns);
    let built = with_deep_stack(|| options.build(schema).map_err(|error| refused(&error)));
    let panicked = || ForeignError::Unsupported("the library gave up on it".to_owned());
    let validator = built.ok_or_else(panicked)??;
    Ok(Foreign { validator, work })
}

/// What a library's refusal says of a schema.
fn refused(error: &ValidationError<'_>) -> ForeignError {
    let message = explain::shortened(
        &format!("{}: {}", error.instance_path(), error.masked()),
        300,
    );
    match error.kind() {
        ValidationErrorKind::Format { .. } | ValidationErrorKind::Referencing(_) => {
            ForeignError::Unsupported(message)
        }
        _ => ForeignError::Invalid(message),
    }
}

impl Foreign {
    /// How a value does not conform to the schema; empty if it does.
    ///
    /// # Errors
    ///
    /// If the schema makes that too much work.
    pub fn violations(&self, instance: &Value) -> Result<Vec<Violation>, Undecided> {
        let work = self.work.on(instance);
        if work > VISITS_MAX {
            return Err(Undecided);
        }
        let explained = work <= EXPLAINED_VISITS_MAX
            && !explain::weight_exceeds(instance, explain::EXPLAINED_WEIGHT_MAX);
        let judged = with_deep_stack(|| {
            if self.validator.is_valid(instance) {
                return Ok(Vec::new());
            }
            if explained {
                let errors = self.validator.iter_errors(instance).collect::<Vec<_>>();
                if self.work.backtracks && errors.iter().any(|error| unfinished(error, 0)) {
                    return Err(Undecided);
                }
                return Ok(explain::violations(errors.into_iter()));
            }
            if self.work.backtracks {
                return Err(Undecided);
            }
            let message = "does not conform to the schema; it is too big to say where";
            Ok(vec![Violation::new("", message)])
        });
        judged.unwrap_or(Err(Undecided))
    }
}

/// Whether an error, or one of those behind it, is a match that was not carried to its end.
fn unfinished(error: &ValidationError<'_>, depth: usize) -> bool {
    match error.kind() {
        ValidationErrorKind::BacktrackLimitExceeded { .. }
        | ValidationErrorKind::RegexEngineFailure { .. } => true,
        ValidationErrorKind::AnyOf { context }
        | ValidationErrorKind::OneOfNotValid { context }
        | ValidationErrorKind::OneOfMultipleValid { context } => {
            let mut within = context.iter().flatten();
            depth > UNION_DEPTH_MAX || within.any(|error| unfinished(error, depth + 1))
        }
        ValidationErrorKind::PropertyNames { error } => {
            depth > UNION_DEPTH_MAX || unfinished(error, depth + 1)
        }
        _ => false,
    }
}

fn dialect(schema: &Value) -> Result<Draft, ForeignError> {
    let Some(named) = schema.get("$schema") else {
        return Ok(Draft::Draft202012);
    };
    let name = named
        .as_str()
        .ok_or_else(|| ForeignError::Invalid("`$schema` is no string".to_owned()))?;
    let path = name
        .trim_end_matches('#')
        .split_once("://json-schema.org/")
        .map_or("", |(_, path)| path);
    match path {
        "draft/2020-12/schema" => Ok(Draft::Draft202012),
        "draft/2019-09/schema" => Ok(Draft::Draft201909),
        "draft-07/schema" => Ok(Draft::Draft7),
        "draft-06/schema" => Ok(Draft::Draft6),
        "draft-04/schema" => Ok(Draft::Draft4),
        _ => Err(ForeignError::Dialect(explain::shortened(name, 100))),
    }
}

/// Runs a piece of work where it may recurse as deeply as the bounds on schemas and values allow.
/// `None` if the library panics: its fault, and no verdict on the target.
fn with_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        let running = thread
            .spawn_scoped(scope, || catch_unwind(AssertUnwindSafe(work)).ok())
            .ok()?;
        running.join().ok().flatten()
    })
}

/// Steps that one match of a regular expression may go back: a fiftieth of the library's own bound.
const BACKTRACKS_MAX: usize = 20_000;

/// A compiled regular expression, in bytes.
const REGEX_BYTES_MAX: usize = 1024 * 1024;

/// Visits for a plain yes or no: some seconds at worst.
const VISITS_MAX: u64 = 20_000_000;

/// Visits for saying where, which takes more of time and memory.
const EXPLAINED_VISITS_MAX: u64 = 200_000;

/// Stack for the deepest recursion that the bounds allow. Only what is touched is ever allocated.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Unions within unions that are looked into for an unfinished match.
const UNION_DEPTH_MAX: usize = 64;
