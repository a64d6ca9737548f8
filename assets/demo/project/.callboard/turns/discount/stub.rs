//! What is taken off the price of the goods.

#![expect(unused_variables, reason = "signatures only")]

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
        todo!()
    }
}

/// What the best of several offers takes off a subtotal, in cents. They are never added up.
pub fn best(offers: &[Discount], subtotal: u64) -> u64 {
    todo!()
}
