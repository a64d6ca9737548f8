//! Suites of thousands of tests: what is far down in a report counts like what is on top.

use callboard::model::{CriterionState, Data, Placement, Status, Step};
use serde_json::json;

use super::{BEGINNING, Shop, TOML};

/// The same as the shop's runner, for many tests: one process.
const RUN: &str = r#"
report=$1; shift
[ $# = 0 ] && set -- tests/cart.t tests/orders_together.t tests/rounding.t tests/tax.t
exec awk -v report="$report" '
function has(token, file,   line, found) {
  while ((getline line < file) > 0) if (line == token) found = 1
  close(file)
  return found
}
BEGIN { print "<testsuite>" > report }
{
  if (has($2, $3)) printf "<testcase name=\"%s\" file=\"%s\"/>\n", $1, FILENAME > report
  else { bad++; printf "<testcase name=\"%s\" file=\"%s\"><failure message=\"no %s in %s\">no</failure></testcase>\n", $1, FILENAME, $2, $3 > report }
}
END { print "</testsuite>" > report; exit bad > 0 }
' "$@"
"#;

/// So many tests, each of which wants this of a file.
fn many(wanted: &str) -> String {
    (0..2_500).map(|at| format!("test_{at} {wanted}\\n")).collect()
}

#[test]
fn a_failure_outside_halts_though_thousands_inside_come_first() {
    let breaks = format!(
        r#"
[[turn]]
step = "generate_context"
write = [
  {{ path = "tests/cart.t", content = "{}" }},
  {{ path = "tests/orders_together.t", content = "joins joined src/orders.txt\n" }},
  {{ path = "src/orders.txt", content = "joined\n" }},
  {{ path = "src/billing/rounding.txt", content = "up\n" }},
]
"#,
        many("wheels src/orders/cart.txt")
    );
    let (shop, id) = Shop::with(TOML, &[BEGINNING, &breaks], |shop| shop.write("run.sh", RUN));
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    let result = shop.store().last_result(id, Step::RunTestSuite).unwrap().unwrap();
    let run = result.test_run().unwrap();
    let count = |placement| run.failures.iter().filter(|it| it.placement == Some(placement)).count();
    let placed = [Placement::Inside, Placement::Outside, Placement::PreExisting].map(count);
    assert_eq!((placed, run.failed, run.failures.len()), ([2_500, 1, 1], 2_502, 2_502));
    let told: Vec<_> = run.failures.iter().filter(|it| !it.message.is_empty()).collect();
    assert_eq!((told.len(), told.last().unwrap().name.as_str()), (2_000, "rounds"), "what broke elsewhere first");

    let halt = shop.store().last_halt(id).unwrap().unwrap();
    assert_eq!(
        halt.message,
        "tests outside Orders broke: rounds in Billing; changed here, and theirs or used by them: \
         src/billing/rounding.txt"
    );
    let about = &halt.evidence["about"];
    assert_eq!((&about["tests"][0]["name"], &about["left_out"]), (&json!("rounds"), &json!(0)));
    assert_eq!(about["tests"][0]["message"], "no even in src/billing/rounding.txt");
    assert_eq!(shop.store().ledger(id).unwrap().iter().filter(|row| row.state.is_failing()).count(), 2_502);
}

#[test]
fn a_criterion_is_met_by_a_test_after_thousands() {
    let tests = many("joined src/orders.txt") + "ac_1_joins joined src/orders.txt\\n";
    let passes = format!(
        r#"
[[turn]]
step = "generate_context"
write = [
  {{ path = "tests/orders_together.t", content = "{tests}" }},
  {{ path = "src/orders.txt", content = "joined\n" }},
]
"#
    );
    let (shop, id) = Shop::with(TOML, &[BEGINNING, &passes], |shop| shop.write("run.sh", RUN));
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    assert_eq!(shop.store().session(id).unwrap().status, Status::Complete);
    let result = shop.store().last_result(id, Step::ValidateAcceptanceCriteria).unwrap().unwrap();
    let Some(Data::Criteria { criteria, .. }) = result.data else { panic!("{result:?}") };
    assert_eq!(
        (criteria[0].state, criteria[0].tests.as_slice()),
        (CriterionState::Satisfied, &["ac_1_joins".into()][..])
    );
}
