//! What is judged and how it is reached, as the user says it: a command, a URL, or a file.

mod flags;
mod secrets;
mod spec;
mod url;

pub use flags::Flags;
pub use spec::{Declared, TargetSpec};
pub use url::{Scheme, Url, UrlError};

pub(crate) use secrets::Secrets;
pub(crate) use spec::shell_words;
