//! Rounding to whole cents, as the accountants want it.

/// `numerator / denominator` in whole cents. Half a cent counts as one.
pub fn to_cents(numerator: u64, denominator: u64) -> u64 {
    (numerator + denominator / 2) / denominator
}
