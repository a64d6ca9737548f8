//! Orders: from what is in the cart to what the customer pays.

pub mod cart;
pub mod discount;
pub mod shipping;
pub mod tax;
pub mod total;

use cart::Cart;
use discount::Discount;
use shipping::{Method, Parcel};
use tax::Rate;
use total::Total;

/// What an order costs.
pub fn price(cart: &Cart, offers: &[Discount], method: Method, rate: Rate) -> Total {
    let subtotal = cart.subtotal();
    let discount = discount::best(offers, subtotal);
    let goods = subtotal - discount;
    let parcel = Parcel {
        grams: cart.grams(),
        value: goods,
    };
    let shipping = shipping::cost(method, &parcel);
    Total {
        subtotal,
        discount,
        shipping,
        tax: tax::on(goods + shipping, rate),
    }
}
