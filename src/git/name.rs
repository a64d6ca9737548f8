//! Names of branches: pure.

use crate::model::SessionKind;

/// The most characters that a slug has.
const MAX: usize = 80;

/// A component's name as it stands in a branch: lower case, characters outside `a-z 0-9 - _` as `-`, no two `-` in a
/// row and none at the ends, at most 80 characters, never empty.
#[must_use]
pub fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        let kept = if character.is_ascii_alphanumeric() || character == '_' { character } else { '-' };
        if kept != '-' || !(slug.is_empty() || slug.ends_with('-')) {
            slug.push(kept);
        }
        if slug.len() == MAX {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "component".into() } else { slug.into() }
}

/// The branch of the first session of this kind on this component; [`super::Repo::free_branch`] numbers the later ones.
#[must_use]
pub fn branch_name(kind: SessionKind, component: &str) -> String {
    format!("callboard/{kind}/{}", slug(component))
}
