//! What the customer pays in the end.

#![expect(unused_variables, reason = "signatures only")]

/// The parts of a price, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    pub subtotal: u64,
    pub discount: u64,
    pub shipping: u64,
    pub tax: u64,
}

impl Total {
    /// The goods after the discount, in cents.
    pub fn goods(&self) -> u64 {
        todo!()
    }

    /// Everything together, in cents.
    pub fn to_pay(&self) -> u64 {
        todo!()
    }

    /// One line for each part that is not zero, as the customer reads them.
    pub fn summary(&self) -> Vec<String> {
        todo!()
    }
}

/// An amount as it is written: `12.05`.
pub fn euros(cents: u64) -> String {
    todo!()
}
