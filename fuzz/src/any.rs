//! Every target in one program, so that there is one to build and to link: `FUZZ_TARGET` names the one to fuzz.
#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    static BODY: std::sync::LazyLock<mcp_verdict_fuzz::Body> =
        std::sync::LazyLock::new(mcp_verdict_fuzz::named);
    BODY(bytes);
});

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    mcp_verdict_fuzz::replay(mcp_verdict_fuzz::named())
}
