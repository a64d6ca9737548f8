//! Numbers and instalments of invoices.

use super::rounding::to_cents;

/// The number that is printed on an invoice: `2026-0042`.
pub fn number(year: u16, running: u32) -> String {
    format!("{year}-{running:04}")
}

/// `total` in `count` payments, in cents. All are equal but the last, which takes what rounding
/// left over. No instalments: one payment.
pub fn instalments(total: u64, count: u32) -> Vec<u64> {
    let mut payments = Vec::new();
    let mut open = total;
    for _ in 1..count {
        let each = to_cents(total, u64::from(count));
        payments.push(each);
        open -= each;
    }
    payments.push(open);
    payments
}
