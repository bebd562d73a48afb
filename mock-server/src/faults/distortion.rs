//! What stands between a server and its clients with a mind of its own: it hears what they send, and changes what
//! they get. A fault is a plain function that everybody knows by its name; this is for one who decides at run time.

use std::{fmt::Debug, sync::Arc};

use super::{Event, HttpRequest, HttpResponse};
use crate::core::{Departure, Facts};

/// Hears what clients send, and changes what they get. What is not overridden changes nothing.
pub trait Distortion: Debug + Send + Sync {
    /// An HTTP request arrived, whole.
    fn request(&self, _request: &HttpRequest) {}

    /// A message arrived as a line, or as the text of a WebSocket.
    fn line(&self, _line: &[u8]) {}

    /// A message leaves: none, one or more go in its place.
    fn message(&self, _facts: &Facts, departure: Departure) -> Vec<Departure> {
        vec![departure]
    }

    /// An event of an event stream leaves: none, one or more go in its place.
    fn event(&self, _facts: &Facts, event: Event) -> Vec<Event> {
        vec![event]
    }

    /// An HTTP response leaves. Gives after how many bytes of its body the connection breaks, if it does.
    fn response(&self, _request: &HttpRequest, _response: &mut HttpResponse) -> Option<usize> {
        None
    }
}

/// A distortion in a configuration. Two are the same where they are one.
#[derive(Clone, Debug)]
pub struct Distort(pub Arc<dyn Distortion>);

impl PartialEq for Distort {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Distort {}
