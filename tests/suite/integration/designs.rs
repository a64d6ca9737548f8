//! A context's designs: written side by side, checked, and mended where they do not hold.

use callboard::model::{Data, Status, Step};

use super::{Shop, TOML};

const CONTEXT: &str = "# Orders\n\n## Purpose\n\nTakes orders.\n\n## Public API\n\nprice\n\n## Execution flow\n\nCart, then tax.\n\n## Test assertions\n\n- adds up\n\n## Dependencies\n\nNone\n\n## Components\n\n- Cart\n- Tax\n";

/// A design of a component; `dependencies` is its last section.
fn design(name: &str, dependencies: &str) -> String {
    format!(
        "# {name}\\n\\n## Purpose\\n\\nOne thing.\\n\\n## Public API\\n\\nprice\\n\\n## Execution flow\\n\\nNone.\\n\\n## Test assertions\\n\\n- it works\\n\\n## Dependencies\\n\\n{dependencies}\\n"
    )
}

#[test]
fn designs_are_written_checked_and_mended() {
    let scenario = format!(
        r#"
[[turn]]
component = "Cart"
step = "generate_component_design"
prompt = "docs/orders.md"
write = [{{ path = "docs/cart.md", content = "{cart}" }}]

[[turn]]
component = "Tax"
step = "generate_component_design"
write = [{{ path = "docs/tax.md", content = "{unknown}" }}]

[[turn]]
component = "Tax"
step = "revise_design"
prompt = "Weather"
write = [{{ path = "docs/tax.md", content = "{circle}" }}]

[[turn]]
component = "Tax"
step = "revise_design"
iteration = 2
write = [{{ path = "docs/tax.md", content = "{good}" }}]
"#,
        cart = design("Cart", "- Tax"),
        unknown = "# Tax\\n\\n## Purpose\\n\\nTaxes.\\n\\n## Dependencies\\n\\n- Weather\\n",
        circle = design("Tax", "- Weather"),
        good = design("Tax", "None"),
    );
    let toml = TOML.replace("[paths]\n", "[paths]\ndesign = \"docs/{name}.md\"\n");
    let (shop, id) = Shop::of("context_design", &toml, &[&scenario], |shop| shop.write("docs/orders.md", CONTEXT));
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let tax = shop.store().sessions_of("Tax").unwrap().pop().unwrap();
    assert_eq!(tax.status, Status::Complete);
    let steps = [
        "initialize",
        "read_context_design",
        "generate_component_design",
        "validate_design:failed",
        "revise_design",
        "validate_design:failed",
        "revise_design",
        "validate_design",
        "finalize",
    ];
    assert_eq!(shop.steps(tax.id), steps, "{}", shop.story());
    let checks: Vec<_> = shop
        .store()
        .interactions(tax.id, 0)
        .unwrap()
        .into_iter()
        .filter(|it| it.step == Step::ValidateDesign)
        .filter_map(|it| match it.result.unwrap().data {
            Some(Data::Design { design_problems }) => Some(design_problems),
            _ => None,
        })
        .collect();
    let said = |at: usize, text: &str| checks[at].iter().any(|problem| problem.message.contains(text));
    // Sections that are missing, and a dependency that nobody knows, with its line.
    assert!(checks[0].len() >= 4 && said(0, "Weather"), "{checks:?}");
    assert!(checks[0].iter().any(|problem| problem.line.is_some()), "{checks:?}");
    assert!(checks[1].len() == 1 && said(1, "Weather"), "{checks:?}");
    assert!(checks[2].is_empty());
    let branch = shop.store().session(id).unwrap().branch.unwrap();
    for file in ["docs/cart.md", "docs/tax.md"] {
        assert!(shop.git(&["show", &format!("{branch}:{file}")]).contains("## Public API"), "{file}");
    }
}
