use shop::orders::total::{Total, euros};

/// Goods for 39.90 with 4.00 off, sent for 4.90, and 7.75 tax.
fn tea_set() -> Total {
    Total {
        subtotal: 3_990,
        discount: 400,
        shipping: 490,
        tax: 775,
    }
}

#[test]
fn the_customer_pays_goods_and_shipping_and_tax() {
    assert_eq!(tea_set().goods(), 3_590);
    assert_eq!(tea_set().to_pay(), 4_855);
}

#[test]
fn a_discount_above_the_subtotal_makes_the_goods_free() {
    let total = Total {
        discount: 9_999,
        ..tea_set()
    };

    assert_eq!(total.goods(), 0);
    assert_eq!(total.to_pay(), 1_265);
}

#[test]
fn amounts_are_written_in_euros_with_two_decimals() {
    assert_eq!(euros(123_405), "1234.05");
    assert_eq!(euros(7), "0.07");
}

#[test]
fn the_summary_follows_the_order_of_the_calculation() {
    assert_eq!(
        tea_set().summary(),
        [
            "Subtotal 39.90",
            "Discount -4.00",
            "Shipping 4.90",
            "Tax 7.75",
            "To pay 48.55",
        ]
    );
}

#[test]
fn the_summary_leaves_out_what_is_zero() {
    let total = Total {
        discount: 0,
        shipping: 0,
        ..tea_set()
    };

    assert_eq!(
        total.summary(),
        ["Subtotal 39.90", "Tax 7.75", "To pay 47.65"]
    );
}
