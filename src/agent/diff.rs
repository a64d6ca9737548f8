//! What is different in a file, for people.

/// So much of a diff is kept, in bytes.
const KEEP: usize = 16 * 1024;

/// The lines that two texts do not share at their ends, the old ones before the new ones.
pub(super) fn between(old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let before = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - before;
    let after = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let changed = |lines: &[&str], sign: char| -> String {
        let lines = lines.get(before..lines.len() - after).unwrap_or_default();
        lines.iter().map(|line| format!("{sign}{line}\n")).collect()
    };
    shorten(changed(&old, '-') + &changed(&new, '+'))
}

/// A diff that is not longer than may be kept.
pub(super) fn shorten(mut diff: String) -> String {
    if diff.len() > KEEP {
        diff.truncate(diff.floor_char_boundary(KEEP));
        diff.push_str("\n …\n");
    }
    diff
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn only_what_is_different_is_left() {
        let cases = [
            ("", "a\nb\n", "+a\n+b\n"),
            ("a\nb\n", "", "-a\n-b\n"),
            ("a\nb\nc\n", "a\nx\nc\n", "-b\n+x\n"),
            ("a\na\n", "a\na\na\n", "+a\n"),
            ("a\n", "a\n", ""),
        ];
        for (old, new, diff) in cases {
            assert_eq!(between(old, new), diff, "{old:?} {new:?}");
        }
        assert!(between("", &"long\n".repeat(10_000)).len() < 17_000);
    }
}
