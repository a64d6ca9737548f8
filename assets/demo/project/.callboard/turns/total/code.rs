//! What the customer pays in the end.

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
        self.subtotal.saturating_sub(self.discount)
    }

    /// Everything together, in cents.
    pub fn to_pay(&self) -> u64 {
        self.goods() + self.shipping + self.tax
    }

    /// One line for each part that is not zero, as the customer reads them.
    pub fn summary(&self) -> Vec<String> {
        let parts = [
            ("Subtotal ", self.subtotal),
            ("Discount -", self.discount),
            ("Shipping ", self.shipping),
            ("Tax ", self.tax),
            ("To pay ", self.to_pay()),
        ];
        parts
            .into_iter()
            .filter(|(_, cents)| *cents > 0)
            .map(|(label, cents)| format!("{label}{}", euros(cents)))
            .collect()
    }
}

/// An amount as it is written: `12.05`.
pub fn euros(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
