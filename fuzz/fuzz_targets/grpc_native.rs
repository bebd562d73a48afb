//! Fuzzes `grpc_native`; without a fuzzer, replays the files named on the command line.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mcp_verdict_fuzz::grpc_native(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    mcp_verdict_fuzz::replay(mcp_verdict_fuzz::grpc_native)
}
