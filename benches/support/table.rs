//! Rounds, and rows of the table in `docs/performance.md`.

use std::fmt::Display;

/// The middle of some measurements.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The value that this share of the measurements does not exceed.
pub(crate) fn percentile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rank")]
    let at = (last as f64 * share).ceil() as usize;
    sorted.get(at.min(last)).copied().unwrap_or(f64::NAN)
}

/// The median of what each round's pair of measurements has as ratio: what changed between rounds cancels out.
pub(crate) fn ratio(above: &[f64], below: &[f64]) -> f64 {
    let each: Vec<f64> = above.iter().zip(below).map(|(above, below)| above / below).collect();
    median(&each)
}

/// Whether a measurement is to be at least, or at most, its aim.
pub(crate) enum Aim {
    AtLeast(f64, &'static str),
    AtMost(f64, &'static str),
    None,
}

/// One row: what was measured, what came out, what it was compared with in the same run, and whether that is enough.
pub(crate) fn row(what: &str, measured: impl Display, peer: impl Display, decides: f64, aim: &Aim) {
    let (wanted, good) = match aim {
        Aim::AtLeast(least, unit) => (format!("≥ {least}{unit}"), Some(decides >= *least)),
        Aim::AtMost(most, unit) => (format!("≤ {most}{unit}"), Some(decides <= *most)),
        Aim::None => (String::from("–"), None),
    };
    let verdict = match good {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "",
    };
    println!("| {what} | {measured} | {peer} | {wanted} | {verdict} |");
}

/// What is not for the table: rounds as they come, on standard error.
pub(crate) fn note(text: impl Display) {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default().to_owned();
    eprintln!("[load {load}] {text}");
}
