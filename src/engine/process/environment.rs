//! What a child sees of our environment.

use std::sync::LazyLock;

/// What a program needs to find its tools, its user, its language, the network and its toolchain. A name that ends in
/// `*` stands for all that begin so.
const PASSED: [&str; 28] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TERM",
    "COLORTERM",
    "TMPDIR",
    "TZ",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "XDG_*",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "SSH_AUTH_SOCK",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
];

/// The part of our environment that a process may have: a fixed list and what `pass` names, where a name that ends in
/// `*` stands for all that begin so. Never a `CALLBOARD_` variable, whatever `pass` says: those tell a process who it is, and
/// it is not us. Values that are not UTF-8 are left out.
#[must_use]
pub fn clean_env(pass: &[String]) -> Vec<(String, String)> {
    // Our own environment never changes.
    static USUAL: LazyLock<Vec<(String, String)>> = LazyLock::new(|| filtered(ours(), &[]));
    if pass.is_empty() { USUAL.clone() } else { filtered(ours(), pass) }
}

fn ours() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn filtered(env: impl Iterator<Item = (String, String)>, pass: &[String]) -> Vec<(String, String)> {
    let wanted =
        |name: &str| PASSED.iter().copied().chain(pass.iter().map(String::as_str)).any(|one| covers(one, name));
    env.filter(|(name, _)| !name.starts_with("CALLBOARD_") && wanted(name)).collect()
}

fn covers(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::filtered;

    #[test]
    fn only_listed_and_passed_variables_survive() {
        let names = ["PATH", "PATHS", "LC_ALL", "SECRET", "MY_KEY", "MY_KEYS", "CI_A", "CALLBOARD_RUN", "CALLBOARD_X"];
        let env = names.into_iter().map(|name| (name.to_owned(), String::new()));
        let pass = ["MY_KEY", "CI_*", "CALLBOARD_X", "CALLBOARD_*"].map(str::to_owned);
        let left: Vec<String> = filtered(env, &pass).into_iter().map(|(name, _)| name).collect();
        assert_eq!(left, ["PATH", "LC_ALL", "MY_KEY", "CI_A"]);
    }
}
