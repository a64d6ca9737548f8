use shop::orders::{cart::Cart, discount::Discount, price, shipping::Method, tax::Rate};

/// Two cups and a pot, together less than a kilogram: 39.90.
fn tea_set() -> Cart {
    let mut cart = Cart::new();
    cart.add("cup", 750, 2);
    cart.add("pot", 2_490, 1);
    cart.weigh("cup", 150);
    cart.weigh("pot", 500);
    cart
}

/// Four kettles of cast iron, a kilogram and a half each: 48.00.
fn kettles() -> Cart {
    let mut cart = Cart::new();
    cart.add("kettle", 1_200, 4);
    cart.weigh("kettle", 1_500);
    cart
}

#[test]
fn ac_1_the_summary_adds_up() {
    let total = price(
        &kettles(),
        &[Discount::Voucher(500)],
        Method::Standard,
        Rate::Standard,
    );

    assert_eq!(
        total.summary(),
        [
            "Subtotal 48.00",
            "Discount -5.00",
            "Shipping 10.90",
            "Tax 10.24",
            "To pay 64.14"
        ]
    );
}

#[test]
fn ac_2_shipping_is_free_from_fifty_euros_after_the_discount() {
    let mut cart = tea_set();
    cart.add("tea", 1_200, 1);
    cart.weigh("tea", 150);

    assert_eq!(
        price(&cart, &[], Method::Standard, Rate::Standard).shipping,
        0
    );
    let total = price(
        &cart,
        &[Discount::Percent(10)],
        Method::Standard,
        Rate::Standard,
    );
    assert_eq!(total.shipping, 490);
}

#[test]
fn ac_3_tax_is_due_on_the_goods_and_on_shipping() {
    let total = price(
        &tea_set(),
        &[Discount::Voucher(400)],
        Method::Standard,
        Rate::Standard,
    );

    assert_eq!(total.tax, 775);
}

#[test]
fn ac_4_the_best_offer_counts() {
    let offers = [Discount::Percent(10), Discount::Voucher(700)];

    let total = price(&tea_set(), &offers, Method::Pickup, Rate::Reduced);
    assert_eq!(total.discount, 700);
}

#[test]
fn ac_5_an_order_that_a_voucher_pays_still_costs_its_shipping() {
    let total = price(
        &tea_set(),
        &[Discount::Voucher(5_000)],
        Method::Standard,
        Rate::Standard,
    );

    assert_eq!((total.goods(), total.shipping, total.tax), (0, 490, 93));
    assert_eq!(total.to_pay(), 583);
}
