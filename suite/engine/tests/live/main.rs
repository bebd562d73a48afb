//! Whole runs against tiny servers: what is judged live is judged the same again from its transcripts.

mod helper;
mod http;
mod stdio;
