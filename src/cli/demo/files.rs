//! The demo's project, file by file as it is compiled in.

/// Path in the demo's folder and content. The manifest has another name among the assets, since cargo would take the folder
/// for a package of its own and leave it out of this one.
pub(super) const FILES: &[(&str, &str)] = &[
    (".callboard/scenario.toml", include_str!("../../../assets/demo/project/.callboard/scenario.toml")),
    (
        ".callboard/turns/billing/rounding.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/billing/rounding.rs"),
    ),
    (
        ".callboard/turns/billing/rounding_half_up.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/billing/rounding_half_up.rs"),
    ),
    (".callboard/turns/cart/code.rs", include_str!("../../../assets/demo/project/.callboard/turns/cart/code.rs")),
    (
        ".callboard/turns/cart/code_with_weights.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/cart/code_with_weights.rs"),
    ),
    (".callboard/turns/cart/stub.rs", include_str!("../../../assets/demo/project/.callboard/turns/cart/stub.rs")),
    (".callboard/turns/cart/test.rs", include_str!("../../../assets/demo/project/.callboard/turns/cart/test.rs")),
    (
        ".callboard/turns/discount/code.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/discount/code.rs"),
    ),
    (
        ".callboard/turns/discount/code_with_dbg.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/discount/code_with_dbg.rs"),
    ),
    (
        ".callboard/turns/discount/stub.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/discount/stub.rs"),
    ),
    (
        ".callboard/turns/discount/test.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/discount/test.rs"),
    ),
    (
        ".callboard/turns/orders/code_1.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/orders/code_1.rs"),
    ),
    (
        ".callboard/turns/orders/code_2.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/orders/code_2.rs"),
    ),
    (
        ".callboard/turns/orders/code_3.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/orders/code_3.rs"),
    ),
    (
        ".callboard/turns/orders/test_1.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/orders/test_1.rs"),
    ),
    (
        ".callboard/turns/orders/test_2.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/orders/test_2.rs"),
    ),
    (
        ".callboard/turns/orders/test_3.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/orders/test_3.rs"),
    ),
    (
        ".callboard/turns/shipping/code_1.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/shipping/code_1.rs"),
    ),
    (
        ".callboard/turns/shipping/code_2.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/shipping/code_2.rs"),
    ),
    (
        ".callboard/turns/shipping/code_3.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/shipping/code_3.rs"),
    ),
    (
        ".callboard/turns/shipping/stub.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/shipping/stub.rs"),
    ),
    (
        ".callboard/turns/shipping/test.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/shipping/test.rs"),
    ),
    (".callboard/turns/tax/code.rs", include_str!("../../../assets/demo/project/.callboard/turns/tax/code.rs")),
    (".callboard/turns/tax/stub.rs", include_str!("../../../assets/demo/project/.callboard/turns/tax/stub.rs")),
    (".callboard/turns/tax/test.rs", include_str!("../../../assets/demo/project/.callboard/turns/tax/test.rs")),
    (
        ".callboard/turns/tax/test_that_does_not_compile.rs",
        include_str!("../../../assets/demo/project/.callboard/turns/tax/test_that_does_not_compile.rs"),
    ),
    (".callboard/turns/total/code.rs", include_str!("../../../assets/demo/project/.callboard/turns/total/code.rs")),
    (".callboard/turns/total/stub.rs", include_str!("../../../assets/demo/project/.callboard/turns/total/stub.rs")),
    (".callboard/turns/total/test.rs", include_str!("../../../assets/demo/project/.callboard/turns/total/test.rs")),
    (".gitignore", include_str!("../../../assets/demo/project/.gitignore")),
    ("Cargo.lock", include_str!("../../../assets/demo/project/Cargo.lock")),
    ("Cargo.toml", include_str!("../../../assets/demo/project/Cargo.toml.txt")),
    ("callboard.toml", include_str!("../../../assets/demo/project/callboard.toml")),
    ("docs/design/billing.md", include_str!("../../../assets/demo/project/docs/design/billing.md")),
    ("docs/design/billing/invoice.md", include_str!("../../../assets/demo/project/docs/design/billing/invoice.md")),
    ("docs/design/billing/rounding.md", include_str!("../../../assets/demo/project/docs/design/billing/rounding.md")),
    ("docs/design/orders.md", include_str!("../../../assets/demo/project/docs/design/orders.md")),
    ("docs/design/orders/cart.md", include_str!("../../../assets/demo/project/docs/design/orders/cart.md")),
    ("docs/design/orders/discount.md", include_str!("../../../assets/demo/project/docs/design/orders/discount.md")),
    ("docs/design/orders/shipping.md", include_str!("../../../assets/demo/project/docs/design/orders/shipping.md")),
    ("docs/design/orders/tax.md", include_str!("../../../assets/demo/project/docs/design/orders/tax.md")),
    ("docs/design/orders/total.md", include_str!("../../../assets/demo/project/docs/design/orders/total.md")),
    ("src/billing/invoice.rs", include_str!("../../../assets/demo/project/src/billing/invoice.rs")),
    ("src/billing/mod.rs", include_str!("../../../assets/demo/project/src/billing/mod.rs")),
    ("src/billing/rounding.rs", include_str!("../../../assets/demo/project/src/billing/rounding.rs")),
    ("src/lib.rs", include_str!("../../../assets/demo/project/src/lib.rs")),
    ("src/orders/mod.rs", include_str!("../../../assets/demo/project/src/orders/mod.rs")),
    ("tests/invoice_test.rs", include_str!("../../../assets/demo/project/tests/invoice_test.rs")),
    ("tests/rounding_test.rs", include_str!("../../../assets/demo/project/tests/rounding_test.rs")),
];

/// The hook that refuses commits which call `dbg!()`.
pub(super) const PRE_COMMIT: &str = include_str!("../../../assets/demo/hooks/pre-commit");
