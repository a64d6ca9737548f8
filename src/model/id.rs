//! Identifiers: UUIDv7, so that they sort in the order in which they were made.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not an id of this kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id like 0198c0de-…, found {found:?}")]
pub struct IdError {
    /// The text as it was given.
    pub found: String,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, later than every id made before it in this process.
            #[must_use]
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id with this number: for tests and fixtures, where ids must not change from run to run.
            #[must_use]
            pub const fn from_u128(number: u128) -> Self {
                Self(Uuid::from_u128(number))
            }

            /// Its sixteen bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// The id of these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The last eight characters: what is shown where a whole id has no room. The front of a UUIDv7 is its time
            /// and is the same for ids made together.
            #[must_use]
            pub fn short(&self) -> String {
                let text = self.0.simple().to_string();
                text[text.len() - 8..].to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::parse_str(text).map(Self).map_err(|_| IdError { found: text.to_owned() })
            }
        }
    )+};
}

ids! {
    /// One run of one workflow on one component.
    SessionId,
    /// One attempt at a step.
    InteractionId,
    /// A stop that only a person ends.
    HaltId,
    /// Something that a client asks the engine to do.
    IntentId,
    /// Something that an agent asks for.
    RequestId,
    /// Something that a person says to an agent.
    MessageId,
    /// Something that an agent asks a person.
    PermissionId,
}
