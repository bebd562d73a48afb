//! How much our readers cost beside the least that could be done with the same bytes.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use mcp_verdict_bench::{messages, streams};
use mcp_verdict_wire::{message::Lenient, sse};
use serde_json::Value;

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode a message");
    for input in messages() {
        group.throughput(Throughput::Bytes(input.bytes.len() as u64));
        group.bench_with_input(
            BenchmarkId::new("lenient", input.name),
            &input,
            |bencher, input| {
                bencher.iter(|| Lenient::parse(black_box(&input.bytes)).is_ok());
            },
        );
        group.bench_with_input(
            BenchmarkId::new("serde_json", input.name),
            &input,
            |bencher, input| {
                bencher.iter(|| serde_json::from_slice::<Value>(black_box(&input.bytes)).is_ok());
            },
        );
    }
    group.finish();
}

fn read_stream(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("read an event stream");
    for input in streams() {
        group.throughput(Throughput::Bytes(input.bytes.len() as u64));
        group.bench_with_input(
            BenchmarkId::new("reader", input.name),
            &input,
            |bencher, input| {
                bencher.iter(|| {
                    let mut bytes = 0;
                    let mut reader = sse::Reader::new();
                    for piece in black_box(&input.bytes).chunks(PIECE_BYTES) {
                        let read = reader.push(piece, &mut |item| {
                            if let sse::Item::Event(event) = item {
                                bytes += event.data.len();
                            }
                        });
                        assert!(read.is_ok());
                    }
                    bytes
                });
            },
        );
        group.bench_with_input(
            BenchmarkId::new("newline count", input.name),
            &input,
            |bencher, input| {
                bencher.iter(|| {
                    black_box(&input.bytes)
                        .iter()
                        .filter(|&&byte| byte == b'\n')
                        .count()
                });
            },
        );
    }
    group.finish();
}

/// What one read from a socket brings.
const PIECE_BYTES: usize = 16 * 1024;

criterion_group!(benches, decode, read_stream);
criterion_main!(benches);
