//! What the benchmarks share: a throw-away project, the engine in this process, rounds and the table.

#![allow(dead_code, reason = "each benchmark uses a part of it")]

pub(crate) mod engine;
pub(crate) mod table;
pub(crate) mod world;

/// Whether only a smoke run is wanted: everything once, small.
pub(crate) fn quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// The value behind an argument, for a benchmark that starts itself again as something else.
pub(crate) fn argument(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

/// The processor time that this process and those it waited for have used, in microseconds, to a hundredth of a second.
pub(crate) fn processor_micros() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, fields)| fields).unwrap_or_default();
    let ticks = fields.split_ascii_whitespace().skip(11).take(4).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() * 10_000.0
}
