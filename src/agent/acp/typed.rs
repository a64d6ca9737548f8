//! Command lines as a person would type them, with nothing in them that a person could overlook.

use camino::Utf8Path;

/// A command as it would be typed in the worktree: the folder, the variables, the program and its arguments, on one line.
pub(super) fn typed(folder: &Utf8Path, env: &[(String, String)], argv: &[String]) -> String {
    let variables = env.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
    // A first word with a sign of equality in it would be taken for a variable.
    let words = argv.iter().enumerate().map(|(at, word)| {
        if at == 0 && word.contains('=') && quoted(word) == *word { format!("'{word}'") } else { quoted(word) }
    });
    let line = variables.chain(words).collect::<Vec<_>>().join(" ");
    if folder.as_str().is_empty() { line } else { format!("cd {} && {line}", quoted(folder.as_str())) }
}

fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_./=:@,+%".contains(char);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if !word.chars().any(is_hidden) {
        return format!("'{}'", word.replace('\'', r"'\''"));
    }
    let mut text = "$'".to_owned();
    for char in word.chars() {
        match char {
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\'' | '\\' => text.extend(['\\', char]),
            _ if is_hidden(char) => text.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => text.push(char),
        }
    }
    text + "'"
}

/// Whether a character is not seen, or changes how others are: controls, marks of direction, blanks without a width.
pub(super) fn is_hidden(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A title without the marks of code around it.
pub(super) fn bare(title: &str) -> &str {
    let title = title.trim();
    title.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap_or(title).trim()
}

/// What a shell is given to run, if that is all that a command does: a person would type only this.
pub(super) fn script(argv: &[String]) -> Option<&str> {
    let [shell, option, script] = argv else { return None };
    let is_shell = ["sh", "bash", "/bin/sh", "/bin/bash"].contains(&shell.as_str());
    (is_shell && ["-c", "-lc"].contains(&option.as_str())).then_some(script)
}

/// Whether a variable can be called so.
pub(super) fn is_name(name: &str) -> bool {
    let word = |char: char| char.is_ascii_alphanumeric() || char == '_';
    name.chars().all(word) && name.starts_with(|char: char| !char.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;

    use super::{bare, is_name, script, typed};

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_command_is_one_line_and_all_of_it() {
        let line = |folder: &str, env: &[(&str, &str)], argv: &[&str]| {
            let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            typed(Utf8Path::new(folder), &env, &words(argv))
        };
        assert_eq!(line("", &[], &["cargo", "test", "--lib"]), "cargo test --lib");
        assert_eq!(line("", &[], &["sh", "-c", "it's\nrm -rf \u{1b}x"]), r"sh -c $'it\'s\nrm -rf \u001bx'");
        assert_eq!(line("a b", &[("PATH", "/x y")], &["make"]), "cd 'a b' && PATH='/x y' make");
        assert_eq!(line("", &[], &["echo", "a\u{202e}b"]), r"echo $'a\u202eb'");
        assert_eq!(line("", &[], &["A=b", "", "$x"]), "'A=b' '' '$x'");
    }

    #[test]
    fn only_a_shells_script_is_typed_without_the_shell() {
        assert_eq!(script(&words(&["bash", "-lc", "make"])), Some("make"));
        for other in
            [&["./bash", "-c", "make"][..], &["bash", "-c", "make", "x"], &["bash", "make"], &["env", "-c", "x"]]
        {
            assert_eq!(script(&words(other)), None, "{other:?}");
        }
        assert_eq!((bare(" `make` "), bare("make`"), bare("`")), ("make", "make`", "`"));
        assert!(is_name("A_1") && !is_name("1A") && !is_name("") && !is_name("A=B"));
    }
}
