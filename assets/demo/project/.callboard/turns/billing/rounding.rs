//! Rounding to whole cents, as the accountants want it.

/// `numerator / denominator` in whole cents. Exactly half a cent goes to the even cent, so that
/// many roundings do not add up to a drift.
pub fn to_cents(numerator: u64, denominator: u64) -> u64 {
    let cents = numerator / denominator;
    let rest = numerator % denominator;
    let up = rest * 2 > denominator || (rest * 2 == denominator && cents % 2 == 1);
    cents + u64::from(up)
}
