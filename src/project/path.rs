//! Names and places: the paths that the configuration gives or that follow from a component's name.

use super::{near::did_you_mean, value::Wrong};

/// The name as a file would be called: `OrderPricing` becomes `order_pricing`, `HTTPServer` becomes `http_server`. What is
/// neither a letter nor a digit separates words. The same name again comes out as it is.
#[must_use]
pub fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 4);
    for (i, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            separate(&mut out);
            continue;
        }
        let before = i.checked_sub(1).and_then(|i| chars.get(i)).copied();
        let begins_word = before.is_some_and(|before| {
            is_upper(c)
                && (is_lower(before)
                    || before.is_numeric()
                    || (is_upper(before) && chars.get(i + 1).copied().is_some_and(is_lower)))
        });
        if begins_word {
            separate(&mut out);
        }
        out.extend(c.to_lowercase().filter(|c| c.is_alphanumeric()));
    }
    out.truncate(out.trim_end_matches('_').len());
    out
}

fn separate(out: &mut String) {
    if !out.is_empty() && !out.ends_with('_') {
        out.push('_');
    }
}

/// Has a lower-case form of its own: some letters that Unicode calls upper-case have none, and would be cut off again each time.
fn is_upper(c: char) -> bool {
    c.to_lowercase().ne([c])
}

fn is_lower(c: char) -> bool {
    c.is_lowercase() && !is_upper(c)
}

/// The path in its shortest form, if it stays inside the project and means the same on every system.
pub(super) fn inside(path: &str) -> Result<String, Wrong> {
    let wrong = |message: &str, hint: &str| Err((format!("{message}: {path:?}"), hint.to_owned()));
    if path.trim().is_empty() {
        return Err(("a path must not be empty".to_owned(), "leave the line out, or name a file".to_owned()));
    }
    if path.chars().any(char::is_control) {
        return wrong("a path must not have control characters in it", "leave them out");
    }
    if path.contains('\\') {
        return wrong("a path must not have a backslash in it", "write `/` between folders, on every system");
    }
    let drive = path.as_bytes().get(1) == Some(&b':') && path.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    if path.starts_with('/') || drive {
        return wrong("an absolute path leaves the project", "write it relative to the folder of callboard.toml");
    }
    if path.starts_with('~') {
        return wrong("`~` is not expanded", "write the path relative to the folder of callboard.toml");
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return wrong(
            "a path with `..` in it may leave the project",
            "write it relative to the folder of callboard.toml",
        );
    }
    if parts.iter().any(|part| part.eq_ignore_ascii_case(".git")) {
        return wrong("git's own files are not callboard's to touch", "name a file outside .git");
    }
    if parts.is_empty() {
        return wrong("a path must name something in the project", "name a file");
    }
    Ok(parts.join("/"))
}

/// What the placeholders of a path stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// `{path}`: under its context.
    pub(super) path: String,
    /// `{name}`.
    pub(super) name: String,
}

impl Names {
    /// The names of a component of `context`; of a context itself without one.
    pub(super) fn new(context: Option<&str>, name: &str) -> Self {
        let name = snake_case(name);
        let path = context.map_or_else(|| name.clone(), |context| format!("{}/{name}", snake_case(context)));
        Self { path, name }
    }

    /// The path that a template gives, if it is one.
    pub(super) fn fill(&self, template: &str) -> Result<String, Wrong> {
        if template.chars().any(char::is_control) {
            return inside(template);
        }
        let mut out = String::new();
        let mut rest = template;
        while let Some(open) = rest.find(['{', '}']) {
            let (plain, tail) = rest.split_at(open);
            out.push_str(plain);
            let Some(end) = tail.find('}').filter(|_| tail.starts_with('{')) else {
                let message = format!("a brace without its other half in {template:?}");
                return Err((message, "`{path}` and `{name}` are filled in".to_owned()));
            };
            match &tail[1..end] {
                "path" => out.push_str(&self.path),
                "name" => out.push_str(&self.name),
                other => {
                    let message = format!("unknown placeholder `{{{other}}}` in {template:?}");
                    return Err((message, did_you_mean(other, "known placeholders", ["path", "name"])));
                }
            }
            rest = &tail[end + 1..];
        }
        out.push_str(rest);
        inside(&out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_file_names() {
        for (name, expected) in [
            ("OrderPricing", "order_pricing"),
            ("HTTPServer", "http_server"),
            ("Orders", "orders"),
            ("orders", "orders"),
            ("MyApp.Orders", "my_app_orders"),
            ("tax rates (EU)", "tax_rates_eu"),
            ("Step2Fix", "step2_fix"),
            ("V2", "v2"),
            ("__x__", "x"),
            ("ÜberWeisung", "über_weisung"),
            ("../../etc", "etc"),
            ("!?", ""),
        ] {
            assert_eq!(snake_case(name), expected, "{name}");
        }
    }

    #[test]
    fn paths_stay_inside() {
        for (path, expected) in
            [("src/a.rs", "src/a.rs"), ("./src//a.rs/", "src/a.rs"), ("a..b", "a..b"), ("…/x", "…/x")]
        {
            assert_eq!(inside(path), Ok(expected.to_owned()), "{path}");
        }
        for path in [
            "",
            " ",
            ".",
            "./",
            "/",
            "/etc/passwd",
            "..",
            "../x",
            "a/../../b",
            "a/..",
            "..\\x",
            "a\\b",
            "C:/x",
            "a\0b",
            "a\nb",
            "~/.ssh",
            ".git/config",
            "a/.GIT/hooks",
        ] {
            assert!(inside(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn templates() {
        let names = Names::new(Some("OrderDesk"), "Pricing");
        assert_eq!(names.fill("src/{path}.rs"), Ok("src/order_desk/pricing.rs".to_owned()));
        assert_eq!(names.fill("tests/{name}_test.rs"), Ok("tests/pricing_test.rs".to_owned()));
        assert_eq!(Names::new(None, "Orders").fill("src/{path}.rs"), Ok("src/orders.rs".to_owned()));
        for template in ["src/{nmae}.rs", "src/{path", "src/path}", "{}", "/{path}", "../{path}"] {
            assert!(names.fill(template).is_err(), "{template}");
        }
    }
}
