//! What a customer wants to buy.

#![expect(dead_code, unused_variables, reason = "signatures only")]

/// One article and how many of it are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub sku: String,
    /// The price of one, in cents.
    pub unit_price: u64,
    pub quantity: u32,
}

/// One line per article, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub struct Cart {
    lines: Vec<Line>,
}

impl Cart {
    pub fn new() -> Self {
        todo!()
    }

    /// Puts some more of an article into the cart.
    pub fn add(&mut self, sku: &str, unit_price: u64, quantity: u32) {
        todo!()
    }

    /// Takes the whole line of an article out of the cart.
    pub fn remove(&mut self, sku: &str) -> Option<Line> {
        todo!()
    }

    pub fn lines(&self) -> &[Line] {
        todo!()
    }

    /// What all lines cost together, in cents.
    pub fn subtotal(&self) -> u64 {
        todo!()
    }
}
