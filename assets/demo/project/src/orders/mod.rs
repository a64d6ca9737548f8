//! Orders: from what is in the cart to what the customer pays.
