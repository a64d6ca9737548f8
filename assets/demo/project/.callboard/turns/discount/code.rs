//! What is taken off the price of the goods.

/// One offer that a customer may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discount {
    /// So many percent of the subtotal.
    Percent(u32),
    /// A fixed amount, in cents.
    Voucher(u64),
}

impl Discount {
    /// What this offer takes off a subtotal, in cents.
    pub fn off(self, subtotal: u64) -> u64 {
        match self {
            Self::Percent(percent) => subtotal * u64::from(percent.min(100)) / 100,
            Self::Voucher(cents) => cents.min(subtotal),
        }
    }
}

/// What the best of several offers takes off a subtotal, in cents. They are never added up.
pub fn best(offers: &[Discount], subtotal: u64) -> u64 {
    offers
        .iter()
        .map(|offer| offer.off(subtotal))
        .max()
        .unwrap_or(0)
}
