//! What agents may and may not do without a person being asked, as the configuration says it.

use std::fmt;

/// What a `*` does not stand for in a rule that allows: with these, a command that begins well ends as another one.
const NEVER: &[char] = &['\n', '\r', ';', '&', '|', '<', '>', '`', '$', '(', ')'];

/// Who said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleOf {
    /// The project's file.
    Project,
    /// The user's settings.
    User,
}

/// What of all that a tool can do a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum About {
    /// Whatever it does.
    Anything,
    /// Exactly this.
    Exactly(String),
    /// What looks like this. In a rule that allows, `*` stands for anything but line ends and what separates and nests commands in
    /// a shell, and leads out of no folder; in one that forbids, for anything.
    Like(String),
}

/// A rule for what agents ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The agent; `None`: every one.
    pub agent: Option<String>,
    /// The tool, as the agent calls it.
    pub tool: String,
    /// What of it.
    pub about: About,
    /// Whether it may.
    pub allow: bool,
    /// Who said so.
    pub of: RuleOf,
}

impl Rule {
    /// The longest text in one, in bytes: what is longer can be ruled on by no rule.
    pub const LONGEST: usize = 16 * 1024;

    /// Whether it is about this: a tool of an agent, and what the tool would do, whole; empty: that is not known.
    #[must_use]
    pub fn covers(&self, agent: &str, tool: &str, subject: &str) -> bool {
        // What is not known may be what is forbidden, but not what is allowed.
        let unknown = subject.is_empty() && !self.allow;
        let about = match &self.about {
            About::Anything => true,
            About::Exactly(text) if self.allow => text == subject,
            About::Like(pattern) if self.allow => !subject.is_empty() && like(pattern, subject, true),
            About::Exactly(text) => unknown || parts(subject).any(|part| part == text),
            About::Like(pattern) => unknown || parts(subject).any(|part| like(pattern, part, false)),
        };
        about && self.tool == tool && self.agent.as_deref().is_none_or(|own| own == agent)
    }

    /// The rule that decides what is asked: one that forbids before one that allows.
    pub fn deciding<'r>(
        rules: impl Iterator<Item = &'r Self> + Clone,
        agent: &str,
        tool: &str,
        subject: &str,
    ) -> Option<&'r Self> {
        let mut all = rules.filter(|rule| rule.covers(agent, tool, subject));
        let mut forbids = all.clone();
        forbids.find(|rule| !rule.allow).or_else(|| all.next())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.allow { "allow" } else { "deny" };
        let of = match self.of {
            RuleOf::Project => "the project's rule",
            RuleOf::User => "your rule",
        };
        write!(f, "{of}: {verb} {}", self.tool)?;
        match &self.about {
            About::Anything => Ok(()),
            About::Exactly(text) => write!(f, " {text:?}"),
            About::Like(pattern) => write!(f, " like {pattern:?}"),
        }
    }
}

/// What a command may be taken for: all of it, and each command that it is made of.
fn parts(subject: &str) -> impl Iterator<Item = &str> {
    std::iter::once(subject).chain(subject.split(NEVER).map(str::trim).filter(|part| !part.is_empty()))
}

/// Whether a text looks like a pattern; `strictly`, as a rule that allows wants it.
fn like(pattern: &str, text: &str, strictly: bool) -> bool {
    // Out of the folder that the pattern names leads no star.
    if strictly && text.contains("..") && !pattern.contains("..") {
        return false;
    }
    let fits = |skipped: &str| !(strictly && skipped.contains(NEVER));
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    // The leftmost place for each part leaves the most for those that follow.
    for part in parts {
        let Some((skipped, after)) = left.split_once(part) else { return false };
        if !fits(skipped) {
            return false;
        }
        left = after;
    }
    left.strip_suffix(last).is_some_and(fits)
}

#[cfg(test)]
mod tests {
    use super::{About, Rule, RuleOf, like};

    #[test]
    fn a_star_stands_for_much_but_not_for_another_command() {
        let cases = [
            ("cargo test", "cargo test", true),
            ("cargo test", "cargo test --all", false),
            ("cargo test*", "cargo test", true),
            ("cargo test*", "cargo test --all", true),
            ("cargo test *", "cargo testament", false),
            ("cargo * --all", "cargo test --lib --all", true),
            ("cargo * --all", "cargo test --all --lib", false),
            ("*", "anything at all", true),
            ("*.md", "docs/a.md", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("cargo test*", "cargo test; rm -rf /", false),
            ("cargo test*", "cargo test && curl x", false),
            ("cargo test*", "cargo test\nrm -rf /", false),
            ("cargo test*", "cargo test $(rm x)", false),
            ("cargo test*", "cargo test `rm x`", false),
            ("cargo test*", "cargo test > /etc/passwd", false),
            ("cargo *;true", "cargo a;b;true", false),
            ("src/*", "src/a/b.rs", true),
            ("src/*", "src/../../etc/passwd", false),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(like(pattern, text, true), expected, "{pattern:?} {text:?}");
            assert!(!expected || like(pattern, text, false), "what forbids is at least as wide: {pattern:?} {text:?}");
        }
    }

    #[test]
    fn what_is_forbidden_stays_so_in_any_dress() {
        let rule = |about, allow| Rule { agent: None, tool: "Bash".into(), about, allow, of: RuleOf::User };
        let rules = [
            rule(About::Anything, true),
            rule(About::Like("rm *".into()), false),
            rule(About::Exactly("reboot".into()), false),
        ];
        let decided = |what: &str| Rule::deciding(rules.iter(), "claude", "Bash", what).map(|rule| rule.allow);
        for what in [
            "rm x",
            "rm -rf a; true",
            "rm -rf $X",
            "rm -rf ../..",
            "rm \\\n-rf x",
            "reboot",
            "ls && rm x",
            " rm x",
            "a\nreboot",
            "",
        ] {
            assert_eq!(decided(what), Some(false), "{what:?}");
        }
        assert_eq!(decided("sudo rm x"), Some(true), "a pattern begins where a command does");
        let allows = [rule(About::Like("*".into()), true), rule(About::Exactly("ls".into()), true)];
        assert!(!allows.iter().any(|rule| rule.covers("claude", "Bash", "")), "what is not known is not allowed");
    }
}
