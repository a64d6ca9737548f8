use shop::orders::tax::{Rate, on, split_gross};

#[test]
fn the_standard_rate_adds_nineteen_percent() {
    assert_eq!(on(10_000, Rate::Standard), 1_900);
}

#[test]
fn the_reduced_rate_adds_seven_percent() {
    assert_eq!(on(10_000, 7), 700);
}

#[test]
fn exempt_goods_carry_no_tax() {
    assert_eq!(on(10_000, Rate::Exempt), 0);
}

#[test]
fn tax_is_rounded_to_the_nearest_cent() {
    assert_eq!(on(995, Rate::Standard), 189); // 189.05
    assert_eq!(on(999, Rate::Standard), 190); // 189.81
}

#[test]
fn a_gross_price_splits_into_net_and_tax_without_losing_a_cent() {
    assert_eq!(split_gross(11_900), (10_000, 1_900));

    for gross in 1..500 {
        let (net, tax) = split_gross(gross, Rate::Reduced);
        assert_eq!(net + tax, gross);
    }
}
