//! `[sandbox]`: where what runs in worktrees may write.

use crate::model::{Confine, Network, Preset, Sandbox};

use super::{
    document::{At, Table},
    near::did_you_mean,
    value::Wrong,
};

const KEYS: &[&str] = &["mode", "write", "network"];

/// Reads `[sandbox]`; without it, nothing is confined.
pub(super) fn read(top: &Table<'_>) -> Sandbox {
    let Some(table) = top.table("sandbox", KEYS) else { return Sandbox::default() };
    let hint = "say whether what runs in worktrees is confined to them: mode = \"worktree\", or \"off\"";
    let mode = table.required_text("mode", hint).and_then(|mode| word(&table, mode, "modes", Confine::ALL));
    let network = table.text("network").and_then(|network| word(&table, network, "words for it", Network::ALL));
    Sandbox {
        mode: mode.unwrap_or(Confine::Off),
        write: places(&table).unwrap_or_default(),
        network: network.unwrap_or(Network::On),
    }
}

fn word<T: Copy + std::fmt::Display>(table: &Table<'_>, text: At<String>, what: &str, all: &[T]) -> Option<T> {
    let found = table.doc.check(text, |text| {
        let words: Vec<String> = all.iter().map(ToString::to_string).collect();
        let known = words.iter().map(String::as_str);
        let at = known.clone().position(|word| word == text);
        at.ok_or_else(|| (format!("{text:?} means nothing here"), did_you_mean(&text, what, known)))
    })?;
    all.get(found.value).copied()
}

/// The places that `write` names, if it is there.
pub(super) fn places(table: &Table<'_>) -> Option<Vec<String>> {
    let places = table.texts("write")?.value;
    Some(places.into_iter().filter_map(|text| table.doc.check(text, place)).map(|place| place.value).collect())
}

/// Where an agent keeps its own state: without that it does not work.
pub(super) fn of_agent(preset: Option<Preset>) -> Vec<String> {
    preset.map(Preset::writes).unwrap_or_default()
}

/// A folder or a file of this machine, in its shortest form.
fn place(text: String) -> Result<String, Wrong> {
    let wrong = |message: &str, hint: &str| Err((format!("{message}: {text:?}"), hint.to_owned()));
    let (start, rest) = match (text.strip_prefix("~/"), text.strip_prefix('/')) {
        (Some(rest), _) => ("~/", rest),
        (None, Some(rest)) => ("/", rest),
        (None, None) => {
            let hint = "write it absolute, or from your home folder: \"~/.cache/tool\"; the worktree needs no mention";
            return wrong("a place to write at must be absolute", hint);
        }
    };
    if text.chars().any(char::is_control) {
        return wrong("a path must not have control characters in it", "leave them out");
    }
    let parts: Vec<&str> = rest.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return wrong("a place to write at must not have `..` in it", "write the path that it leads to");
    }
    if parts.is_empty() {
        return wrong("that is everything", "name the folders that are needed, or write mode = \"off\"");
    }
    Ok(format!("{start}{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn places_are_absolute_or_at_home() {
        for (text, expected) in
            [("/var/cache/", "/var/cache"), ("~/.npm", "~/.npm"), ("~//a/./b", "~/a/b"), ("/a..b", "/a..b")]
        {
            assert_eq!(place(text.into()), Ok(expected.to_owned()), "{text}");
        }
        for text in ["", "/", "~", "~/", "/./", "target", "./x", "~ada/x", "/a/../b", "/a\0b", "~/a\u{1b}", "$HOME/x"] {
            assert!(place(text.into()).is_err(), "{text:?}");
        }
    }
}
