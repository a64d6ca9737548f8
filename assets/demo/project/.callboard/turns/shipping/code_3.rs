//! What it costs to bring an order to the customer.

/// A parcel of up to a kilogram, in cents.
const BASE: u64 = 490;
/// Each further kilogram that is begun, in cents.
const PER_KILOGRAM: u64 = 120;
/// What express costs on top, in cents.
const EXPRESS: u64 = 800;
/// From this value on standard shipping is free, in cents.
const FREE_FROM: u64 = 5_000;

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
    if parcel.grams == 0 {
        return 0;
    }
    match method {
        Method::Pickup => 0,
        Method::Standard if parcel.value >= FREE_FROM => 0,
        Method::Standard => by_weight(parcel.grams),
        Method::Express => by_weight(parcel.grams) + EXPRESS,
    }
}

fn by_weight(grams: u32) -> u64 {
    let further = grams.saturating_sub(1_000).div_ceil(1_000);
    BASE + u64::from(further) * PER_KILOGRAM
}
