use shop::orders::discount::{Discount, best};

#[test]
fn a_percentage_is_taken_off_the_subtotal() {
    assert_eq!(Discount::Percent(10).off(4_000), 400);
}

#[test]
fn a_part_of_a_cent_is_not_given_away() {
    assert_eq!(Discount::Percent(10).off(99), 9);
}

#[test]
fn more_than_a_hundred_percent_counts_as_a_hundred() {
    assert_eq!(Discount::Percent(150).off(4_000), 4_000);
}

#[test]
fn a_voucher_is_never_worth_more_than_the_goods() {
    let voucher = Discount::Voucher(2_500);

    assert_eq!(voucher.off(4_000), 2_500);
    assert_eq!(voucher.off(1_999), 1_999);
}

#[test]
fn the_best_of_several_discounts_counts() {
    let offers = [Discount::Percent(10), Discount::Voucher(500)];

    assert_eq!(best(&offers, 4_000), 500);
    assert_eq!(best(&offers, 9_000), 900);
}

#[test]
fn without_a_discount_nothing_is_taken_off() {
    assert_eq!(best(&[], 4_000), 0);
}
