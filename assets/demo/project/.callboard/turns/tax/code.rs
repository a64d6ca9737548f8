//! Value added tax.

use crate::billing::rounding::to_cents;

/// How goods are taxed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// 19 %.
    Standard,
    /// 7 %: food, books.
    Reduced,
    Exempt,
}

impl Rate {
    fn percent(self) -> u64 {
        match self {
            Self::Standard => 19,
            Self::Reduced => 7,
            Self::Exempt => 0,
        }
    }
}

/// The tax on a net amount, in cents.
pub fn on(net: u64, rate: Rate) -> u64 {
    to_cents(net * rate.percent(), 100)
}

/// Net amount and tax that are contained in a gross price, in cents.
pub fn split_gross(gross: u64, rate: Rate) -> (u64, u64) {
    let net = to_cents(gross * 100, 100 + rate.percent());
    (net, gross - net)
}
