//! What a test-first prompt must know of a programming language.

use serde::Serialize;

/// What a test-first prompt must know of a programming language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Language {
    /// Whether tests can only be built when the names that they use are declared.
    pub(super) compiled: bool,
    /// A body for a stub's function that fails only the test that calls it. `None`: the language has none, or it is
    /// not known (a Go panic or a C abort ends the whole test process).
    pub(super) stub: Option<&'static str>,
}

/// What is known of the language with this name.
pub(super) fn language(name: Option<&str>) -> Language {
    let (compiled, stub) = match name.unwrap_or_default().to_ascii_lowercase().as_str() {
        "rust" => (true, Some("todo!()")),
        "java" => (true, Some("throw new UnsupportedOperationException();")),
        "kotlin" => (true, Some("TODO()")),
        "csharp" | "c#" => (true, Some("throw new NotImplementedException();")),
        "scala" => (true, Some("???")),
        "dart" => (true, Some("throw UnimplementedError();")),
        "haskell" => (true, Some("error \"not implemented\"")),
        "cpp" | "c++" => (true, Some("throw std::logic_error(\"not implemented\");")),
        "typescript" => (true, Some("throw new Error(\"not implemented\");")),
        "go" | "c" | "swift" | "zig" => (true, None),
        "javascript" => (false, Some("throw new Error(\"not implemented\");")),
        "python" => (false, Some("raise NotImplementedError")),
        "ruby" => (false, Some("raise NotImplementedError")),
        "php" => (false, Some("throw new \\LogicException('not implemented');")),
        "elixir" => (false, Some("raise \"not implemented\"")),
        _ => (false, None),
    };
    Language { compiled, stub }
}
