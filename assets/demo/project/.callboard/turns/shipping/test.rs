use shop::orders::shipping::{Method, Parcel, cost};

fn parcel(grams: u32, value: u64) -> Parcel {
    Parcel { grams, value }
}

#[test]
fn up_to_one_kilogram_costs_the_base_price() {
    assert_eq!(cost(Method::Standard, &parcel(200, 1_500)), 490);
    assert_eq!(cost(Method::Standard, &parcel(1_000, 1_500)), 490);
}

#[test]
fn every_further_kilogram_begun_is_charged() {
    assert_eq!(cost(Method::Standard, &parcel(1_001, 1_500)), 610);
    assert_eq!(cost(Method::Standard, &parcel(2_500, 1_500)), 730);
}

#[test]
fn standard_shipping_is_free_from_fifty_euros_on() {
    assert_eq!(cost(Method::Standard, &parcel(500, 4_999)), 490);
    assert_eq!(cost(Method::Standard, &parcel(500, 5_000)), 0);
}

#[test]
fn express_is_charged_on_top_and_never_free() {
    assert_eq!(cost(Method::Express, &parcel(500, 1_500)), 1_290);
    assert_eq!(cost(Method::Express, &parcel(500, 6_000)), 1_290);
}

#[test]
fn pickup_costs_nothing() {
    assert_eq!(cost(Method::Pickup, &parcel(8_000, 1_500)), 0);
}

#[test]
fn nothing_is_charged_when_there_is_nothing_to_send() {
    assert_eq!(cost(Method::Standard, &parcel(0, 0)), 0);
    assert_eq!(cost(Method::Express, &parcel(0, 0)), 0);
}
