//! What a customer wants to buy.

/// One article and how many of it are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub sku: String,
    /// The price of one, in cents.
    pub unit_price: u64,
    pub quantity: u32,
    /// What one weighs; 0 until somebody says.
    pub grams: u32,
}

/// One line per article, in the order in which they were added.
#[derive(Debug, Clone, Default)]
pub struct Cart {
    lines: Vec<Line>,
}

impl Cart {
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts some more of an article into the cart.
    pub fn add(&mut self, sku: &str, unit_price: u64, quantity: u32) {
        if quantity == 0 {
            return;
        }
        match self.lines.iter_mut().find(|line| line.sku == sku) {
            Some(line) => line.quantity += quantity,
            None => self.lines.push(Line {
                sku: sku.to_owned(),
                unit_price,
                quantity,
                grams: 0,
            }),
        }
    }

    /// Says what one piece of an article in the cart weighs.
    pub fn weigh(&mut self, sku: &str, grams: u32) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.sku == sku) {
            line.grams = grams;
        }
    }

    /// Takes the whole line of an article out of the cart.
    pub fn remove(&mut self, sku: &str) -> Option<Line> {
        let index = self.lines.iter().position(|line| line.sku == sku)?;
        Some(self.lines.remove(index))
    }

    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What all lines cost together, in cents.
    pub fn subtotal(&self) -> u64 {
        self.lines
            .iter()
            .map(|line| line.unit_price * u64::from(line.quantity))
            .sum()
    }

    /// What all lines weigh together.
    pub fn grams(&self) -> u32 {
        self.lines
            .iter()
            .map(|line| line.grams * line.quantity)
            .sum()
    }
}
