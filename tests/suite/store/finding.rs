//! A session is named by its id, or by a beginning or an ending that no other id has.

use callboard::{model::SessionId, store::StoreError};

use super::world::{World, id, new};

const A: u128 = 0x0198_c0de_0000_7000_8000_0000_0000_00aa;
const B: u128 = 0x0198_c0de_0000_7000_8000_0000_0001_11bb;
const C: u128 = 0x0198_ffff_0000_7000_8000_0000_0001_22aa;

#[test]
fn by_beginning_ending_case_and_dashes() {
    let world = World::new();
    let mut store = world.open();
    store.apply(&[A, B, C].map(|number| new(id(number))).to_vec()).unwrap();
    let find = |given: &str| store.find(given).unwrap();
    for number in [A, B, C] {
        let id = SessionId::from_u128(number);
        assert_eq!(find(&id.to_string()), id);
        assert_eq!(find(&id.to_string().to_uppercase()), id);
        assert_eq!(find(&id.to_string().replace('-', "")), id);
        assert_eq!(find(&id.short()), id);
    }
    assert_eq!(find("0198ff"), id(C));
    assert_eq!(find("0198-FF"), id(C));
    assert_eq!(find("bb"), id(B));
}

#[test]
fn what_fits_two_names_both() {
    let world = World::new();
    let mut store = world.open();
    store.apply(&[A, B, C].map(|number| new(id(number))).to_vec()).unwrap();
    for given in ["0", "0198c0de", "aa"] {
        let StoreError::Ambiguous { candidates, .. } = store.find(given).unwrap_err() else { panic!("{given}") };
        assert!(candidates.len() >= 2 && candidates.contains(&id(A).to_string()), "{given}: {candidates:?}");
    }
}

#[test]
fn whatever_else_is_given_is_unknown() {
    let world = World::new();
    let mut store = world.open();
    store.apply(&vec![new(id(A))]).unwrap();
    let long = "a".repeat(100_000);
    for given in [
        "",
        "-",
        "----",
        "%",
        "_",
        "a%",
        "' OR 1=1 --",
        "0198c0de%",
        "\0",
        "東京",
        "\u{1b}[31m",
        "0x0198",
        long.as_str(),
    ] {
        let error = store.find(given).unwrap_err();
        assert!(matches!(error, StoreError::UnknownSession { .. }), "{given:?}: {error:?}");
        let message = error.to_string();
        assert!(message.len() < 400 && !message.contains(char::is_control), "{message:?}");
    }
}
