//! What marks a test beside its name.

use callboard::runner::{Finished, read};

use super::{custom, silent};

#[test]
fn properties_and_numbered_classes_are_kept() {
    let report = r#"<testsuite name="all">
        <properties><property name="python" value="3.11"/></properties>
        <testcase name="test_adds_up" classname="tests.test_prices">
            <properties>
                <property name="criterion" value="AC-12"/>
                <property name="empty" value=""/>
                <property name="owner" value="ada &amp; bob"><skipped/></property>
            </properties>
        </testcase>
        <testcase name="test_is_free" classname="tests.test_ac_13.TestShipping">
            <failure message="left">no</failure>
            <properties><property name="criterion" value="AC-14"/></properties>
        </testcase>
    </testsuite>"#;
    let run = read(&custom(), &Finished { report: Some(report.as_bytes()), ..silent() });
    let told: Vec<(&str, &[String])> =
        run.tests.iter().map(|test| (test.name.as_str(), test.markers.as_slice())).collect();
    let [first, second] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(first.1, ["AC-12", "ada & bob"], "{first:?}");
    assert_eq!(second.1, ["AC-14", "tests.test_ac_13.TestShipping"], "{second:?}");
    assert_eq!((run.passed, run.failed, run.skipped), (1, 1, 0));
}

#[test]
fn a_flood_of_properties_is_bounded() {
    let properties: String = (0..5_000).map(|n| format!("<property name='n' value='AC-{n}'/>")).collect();
    let report = format!("<testsuite><testcase name='a'><properties>{properties}</properties></testcase></testsuite>");
    let run = read(&custom(), &Finished { report: Some(report.as_bytes()), ..silent() });
    assert!(run.tests[0].markers.len() <= 20);
}
