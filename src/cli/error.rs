//! What ends a command, and the exit code that follows from its kind.

use crate::{engine::EngineError, git::GitError, project::ConfigError, store::StoreError};

/// What ends a command.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    /// What was typed, or what is configured, cannot be right.
    #[error("{0}")]
    Usage(String),
    /// It was asked properly, and the answer is no.
    #[error("refused: {0}")]
    Refused(String),
    /// It did not work.
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    /// The exit code of its kind.
    pub(super) const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Refused(_) | Self::Failed(_) => 1,
        }
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::UnknownSession { .. }
            | StoreError::Ambiguous { .. }
            | StoreError::Newer { .. }
            | StoreError::NotAStore { .. } => Self::Usage(error.to_string()),
            StoreError::Open { .. }
            | StoreError::Full { .. }
            | StoreError::ReadOnly { .. }
            | StoreError::Row { .. }
            | StoreError::Conflict(_)
            | StoreError::Closed
            | StoreError::Sqlite(_) => Self::Failed(error.to_string()),
        }
    }
}

impl From<GitError> for CliError {
    fn from(error: GitError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<EngineError> for CliError {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
        }
    }
}

impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
