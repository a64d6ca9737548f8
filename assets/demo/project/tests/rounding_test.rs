use shop::billing::rounding::to_cents;

#[test]
fn whole_cents_stay_as_they_are() {
    assert_eq!(to_cents(1_200, 100), 12);
}

#[test]
fn less_than_half_a_cent_is_dropped() {
    assert_eq!(to_cents(1_249, 100), 12);
}

#[test]
fn more_than_half_a_cent_counts_as_one() {
    assert_eq!(to_cents(1_251, 100), 13);
}

#[test]
fn exactly_half_a_cent_goes_to_the_even_cent() {
    assert_eq!(to_cents(1_250, 100), 12);
    assert_eq!(to_cents(1_350, 100), 14);
}
