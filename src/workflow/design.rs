//! What a design file says, as far as steps are judged by it.

/// The test assertions that a design lists: the bullets of its section "Test Assertions".
///
/// A bullet that only groups others (it ends in a colon, or has bullets below it) is no assertion of its own.
#[must_use]
pub fn assertions(design: &str) -> Vec<String> {
    let mut inside = None;
    let mut bullets: Vec<(usize, String)> = Vec::new();
    for line in design.lines() {
        if let Some((level, title)) = heading(line) {
            match inside {
                Some(open) if level <= open => inside = None,
                Some(_) => continue,
                None => {}
            }
            if inside.is_none() && normal(title) == "test_assertions" {
                inside = Some(level);
            }
        } else if inside.is_some()
            && let Some(bullet) = bullet(line)
        {
            bullets.push(bullet);
        }
    }
    let mut found = Vec::new();
    for (at, (indent, text)) in bullets.iter().enumerate() {
        let groups = bullets.get(at + 1).is_some_and(|(next, _)| next > indent) || text.ends_with(':');
        if !groups {
            found.push(text.clone());
        }
    }
    found
}

/// Those assertions that no test's name matches.
#[must_use]
pub fn unmatched<'a>(assertions: &'a [String], tests: &[&str]) -> Vec<&'a str> {
    let names: Vec<String> = tests.iter().map(|test| normal(test)).collect();
    let has_test = |assertion: &&String| {
        let wanted = normal(assertion);
        !names.iter().any(|name| matches(&wanted, name))
    };
    assertions.iter().filter(has_test).map(String::as_str).collect()
}

/// A test carries an assertion when its name says it word for word, or at least nine of ten of its words in any order.
fn matches(wanted: &str, name: &str) -> bool {
    if name == wanted || name.ends_with(&format!("_{wanted}")) {
        return true;
    }
    let has: Vec<&str> = name.split('_').collect();
    let words: Vec<&str> = wanted.split('_').filter(|word| !word.is_empty()).collect();
    let found = words.iter().filter(|word| has.contains(word)).count();
    !words.is_empty() && found * 10 >= words.len() * 9
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.chars().take_while(|char| *char == '#').count();
    let title = line.get(level..)?.strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| (level, title.trim()))
}

fn bullet(line: &str) -> Option<(usize, String)> {
    let indent = line.len() - line.trim_start().len();
    let text = line.trim_start().strip_prefix(['-', '*', '+'])?.strip_prefix(' ')?.trim();
    let text = text.strip_prefix("[ ]").or_else(|| text.strip_prefix("[x]")).unwrap_or(text);
    let text = text.trim().strip_prefix("test ").unwrap_or(text).trim_matches(['"', '`', ' ', '.']);
    (!text.is_empty()).then(|| (indent, text.to_owned()))
}

/// Lower case, every run of other characters one underscore.
fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars().flat_map(char::to_lowercase) {
        if char.is_alphanumeric() {
            out.push(char);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out.trim_matches('_').to_owned()
}
