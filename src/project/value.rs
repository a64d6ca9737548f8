//! Values that TOML has no type for: durations, sizes, names. Each answers with the value, or with what is wrong and what to try.

use std::time::Duration;

/// What is wrong with a value, and what to try.
pub(super) type Wrong = (String, String);

/// The longest that anything may be told to wait: what is longer is a slip of the finger, and overflows clocks.
const LONGEST: u64 = 30 * 24 * 3600;

/// Names longer than this do not fit into a file name beside a prefix and a suffix.
const LONGEST_NAME: usize = 100;

/// `90s`, `30m`, `1h30m`, `2d`. Not zero, at most 30 days.
pub(super) fn duration(text: &str) -> Result<Duration, Wrong> {
    let hint = || "write it like \"90s\", \"30m\" or \"1h30m\"".to_owned();
    let wrong = || (format!("expected a duration, found {text:?}"), hint());
    let seconds = amounts(text).ok_or_else(wrong)?.into_iter().try_fold(0_u64, |sum, (amount, unit)| {
        let factor = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return None,
        };
        sum.checked_add(amount.checked_mul(factor)?)
    });
    match seconds {
        None => Err(wrong()),
        Some(0) => Err((format!("a duration of {text:?} leaves no time at all"), hint())),
        Some(seconds) if seconds > LONGEST => Err((format!("{text:?} is longer than 30 days"), hint())),
        Some(seconds) => Ok(Duration::from_secs(seconds)),
    }
}

/// `64MiB`, `512kB`, `1000`: bytes. Not zero.
pub(super) fn size(text: &str) -> Result<u64, Wrong> {
    let wrong =
        || (format!("expected a size, found {text:?}"), "write it like \"64MiB\", or as a number of bytes".to_owned());
    let amounts = match text.trim().parse() {
        Ok(bytes) => vec![(bytes, "B")],
        Err(_) => amounts(text).ok_or_else(wrong)?,
    };
    let &[(amount, unit)] = amounts.as_slice() else { return Err(wrong()) };
    let factor: u64 = match unit.to_ascii_lowercase().as_str() {
        "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    match amount.checked_mul(factor) {
        None => Err(wrong()),
        Some(0) => Err((format!("a size of {text:?} keeps nothing"), "leave the line out for the default".to_owned())),
        Some(bytes) => Ok(bytes),
    }
}

/// Amounts with their units, in order; blanks between them do no harm.
fn amounts(text: &str) -> Option<Vec<(u64, &str)>> {
    let mut rest = text.trim();
    let mut found = Vec::new();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (amount, tail) = rest.split_at(digits);
        let tail = tail.trim_start();
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        if unit.is_empty() {
            return None;
        }
        found.push((amount.parse().ok()?, unit));
        rest = tail.trim_start();
    }
    (!found.is_empty()).then_some(found)
}

/// A name that can be shown on one line.
pub(super) fn name(text: String) -> Result<String, Wrong> {
    let hint = "a name is one line, of at most 100 characters, without blanks at its ends".to_owned();
    if text.trim().is_empty() {
        return Err(("a name must not be empty".to_owned(), hint));
    }
    if text.trim() != text || text.chars().any(char::is_control) || text.chars().count() > LONGEST_NAME {
        let start: String = text.chars().take(40).collect();
        return Err((format!("{start:?} cannot be a name"), hint));
    }
    Ok(text)
}

/// The name of an environment variable that a project may set or pass.
pub(super) fn variable(text: String) -> Result<String, Wrong> {
    let first = text.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        let hint = "letters, digits and `_`, like DATABASE_URL; one name per string, without its value".to_owned();
        return Err((format!("{text:?} is no name of an environment variable"), hint));
    }
    if text.to_ascii_uppercase().starts_with("CALLBOARD_") {
        let hint = "take a name that does not begin with CALLBOARD_".to_owned();
        return Err((format!("callboard sets {text} itself"), hint));
    }
    Ok(text)
}

/// The id of an acceptance criterion: tests carry it in their names.
pub(super) fn criterion_id(text: String) -> Result<String, Wrong> {
    let fits = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if !fits || text.len() > 64 || !text.contains(|c: char| c.is_ascii_alphanumeric()) {
        let hint = "letters, digits, `-` and `_`, like AC-12: tests carry it in their names".to_owned();
        return Err((format!("{text:?} cannot be the id of a criterion"), hint));
    }
    Ok(text)
}

/// A program's argument, or the value of a variable: anything but what no process can be given.
pub(super) fn argument(text: String) -> Result<String, Wrong> {
    if text.contains('\0') {
        return Err(("a NUL character cannot be given to a program".to_owned(), "leave \\u0000 out".to_owned()));
    }
    Ok(text)
}

/// The text as a TOML string on one line, with everything escaped that an editor would not show.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\'' => out.push(c),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || c.escape_debug().count() > 1 => out.push_str(&format!("\\U{:08X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_write_them() {
        for (text, seconds) in
            [("90s", 90), ("30m", 1800), ("1h30m", 5400), (" 1h 30m ", 5400), ("2d", 172_800), ("0h1s", 1)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "30",
            "m",
            "30 minutes",
            "-5m",
            "1.5h",
            "0s",
            "31d",
            "99999999999999999999s",
            "9999999999999999h",
            "5ｍ",
            "30M",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_as_people_write_them() {
        for (text, bytes) in [("64MiB", 64 << 20), ("512kB", 512_000), ("1 GiB", 1 << 30), ("1000", 1000), ("7B", 7)] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "0", "0MiB", "64MiB64MiB", "MiB", "64 megabytes", "99999999999GiB", "-1", "1.5MiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names_of_variables_and_criteria() {
        assert!(variable("DATABASE_URL".into()).is_ok());
        for text in ["", "A=B", "1A", "A B", "ÜBER", "CALLBOARD_STEP", "A\0"] {
            assert!(variable(text.into()).is_err(), "{text}");
        }
        assert!(criterion_id("AC-12".into()).is_ok());
        for text in ["", "-", "AC 1", "AC.1", "é", "A\n1"] {
            assert!(criterion_id(text.into()).is_err(), "{text}");
        }
    }
}
