//! Billing: how amounts become invoices.

pub mod invoice;
pub mod rounding;
