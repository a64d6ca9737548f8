use shop::orders::cart::Cart;

/// Two cups at 7.50 and a pot at 24.90.
fn tea_set() -> Cart {
    let mut cart = Cart::new();
    cart.add("cup", 750, 2);
    cart.add("pot", 2_490, 1);
    cart
}

#[test]
fn a_new_cart_is_empty_and_costs_nothing() {
    let cart = Cart::new();

    assert!(cart.lines().is_empty());
    assert_eq!(cart.subtotal(), 0);
}

#[test]
fn the_subtotal_adds_price_times_quantity() {
    assert_eq!(tea_set().subtotal(), 3_990);
}

#[test]
fn adding_the_same_article_again_raises_its_quantity() {
    let mut cart = tea_set();
    cart.add("cup", 750, 4);

    assert_eq!(cart.lines().len(), 2);
    assert_eq!(cart.lines()[0].quantity, 6);
}

#[test]
fn adding_none_of_an_article_changes_nothing() {
    let mut cart = tea_set();
    cart.add("saucer", 390, 0);

    assert_eq!(cart.lines(), tea_set().lines());
}

#[test]
fn removing_an_article_takes_out_its_whole_line() {
    let mut cart = tea_set();
    let cups = cart.remove("cup");

    assert_eq!(cups.map(|line| line.quantity), Some(2));
    assert_eq!(cart.subtotal(), 2_490);
    assert_eq!(cart.remove("cup"), None);
}
