//! What it costs to bring an order to the customer.

#![expect(unused_variables, reason = "signatures only")]

/// How the goods travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Standard,
    Express,
    /// The customer collects them.
    Pickup,
}

/// What is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parcel {
    pub grams: u32,
    /// What the customer pays for the goods, after the discount, in cents.
    pub value: u64,
}

/// The price of sending a parcel, in cents.
pub fn cost(method: Method, parcel: &Parcel) -> u64 {
    todo!()
}
