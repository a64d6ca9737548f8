use shop::billing::invoice::{instalments, number};

#[test]
fn an_invoice_number_has_the_year_and_four_digits() {
    assert_eq!(number(2026, 42), "2026-0042");
}

#[test]
fn instalments_add_up_to_the_total() {
    for count in 1..=12 {
        assert_eq!(instalments(9_999, count).iter().sum::<u64>(), 9_999);
    }
}

#[test]
fn the_last_instalment_takes_what_rounding_left_over() {
    assert_eq!(instalments(1_000, 3), [333, 333, 334]);
    assert_eq!(instalments(1_005, 2), [502, 503]);
}

#[test]
fn an_invoice_without_instalments_is_paid_at_once() {
    assert_eq!(instalments(4_200, 0), [4_200]);
}
