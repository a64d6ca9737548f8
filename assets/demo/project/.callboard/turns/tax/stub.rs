//! Value added tax.

#![expect(unused_variables, reason = "signatures only")]

/// How goods are taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// 19 %.
    Standard,
    /// 7 %: food, books.
    Reduced,
    Exempt,
}

/// The tax on a net amount, in cents.
pub fn on(net: u64, rate: Rate) -> u64 {
    todo!()
}

/// Net amount and tax that are contained in a gross price, in cents.
pub fn split_gross(gross: u64, rate: Rate) -> (u64, u64) {
    todo!()
}
