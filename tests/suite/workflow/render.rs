//! The tables as people and programs see them.

use std::collections::BTreeSet;

use callboard::{
    model::{SessionKind, Step},
    workflow::{Format, render, rows},
};

#[test]
fn every_table_in_every_format() {
    for kind in SessionKind::ALL.iter().copied() {
        for (format, name) in [(Format::Table, "table"), (Format::Mermaid, "mermaid"), (Format::Json, "json")] {
            let text = render(kind, format);
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{kind}, {name}");
            insta::assert_snapshot!(format!("{kind}_{name}"), text);
        }
    }
}

#[test]
fn a_mermaid_diagram_names_every_step_of_its_kind_and_no_other_state() {
    for kind in SessionKind::ALL.iter().copied() {
        let diagram = render(kind, Format::Mermaid);
        let mut lines = diagram.lines();
        assert_eq!(lines.next(), Some("stateDiagram-v2"));
        let mut edges = BTreeSet::new();
        let mut named = BTreeSet::new();
        for line in lines {
            let (from, rest) = line.trim().split_once(" --> ").expect("an arrow");
            let (to, label) = rest.split_once(": ").unwrap_or((rest, ""));
            assert!(["ok", "error", ""].contains(&label), "{line}");
            assert_eq!(label.is_empty(), from == "[*]", "{line}");
            assert!(edges.insert((from, label)), "{kind}: two arrows {label} from {from}");
            named.extend([from, to].into_iter().filter(|state| *state != "[*]"));
        }
        let steps: BTreeSet<_> = rows(kind).iter().map(|row| row.step.as_str()).collect();
        assert_eq!(named, steps, "{kind}");
        assert_eq!(edges.iter().filter(|(_, label)| *label == "ok").count(), steps.len(), "{kind}");
    }
}

#[test]
fn the_json_says_what_the_table_says() {
    for kind in SessionKind::ALL.iter().copied() {
        let json: serde_json::Value = serde_json::from_str(&render(kind, Format::Json)).unwrap();
        assert_eq!(json["kind"], kind.as_str());
        assert_eq!(json["first"], "initialize");
        let steps = json["steps"].as_array().unwrap();
        for (row, step) in rows(kind).iter().zip(steps) {
            assert_eq!(step["step"], row.step.as_str());
            assert!(step["otherwise"].as_str().unwrap().parse::<Step>().is_ok());
        }
        assert_eq!(steps.len(), rows(kind).len());
    }
}

#[test]
fn formats_are_asked_for_by_name() {
    assert_eq!("table".parse(), Ok(Format::Table));
    assert_eq!("mermaid".parse(), Ok(Format::Mermaid));
    assert_eq!("json".parse(), Ok(Format::Json));
    let error = "yaml".parse::<Format>().unwrap_err();
    assert_eq!(error.to_string(), "expected one of table, mermaid, json, found \"yaml\"");
}
