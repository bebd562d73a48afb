//! What is judged and how it is reached, as the user says it: a command, a URL, or a file.

mod flags;
mod secrets;
mod spec;
mod url;

pub use flags::Flags;
pub use spec::{Declared, TargetSpec, shell_words};
pub use url::{Scheme, Url, UrlError};

pub(crate) use secrets::Secrets;
