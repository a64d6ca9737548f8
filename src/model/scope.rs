//! Who and where: every read and write of the store takes one.

use serde::{Deserialize, Serialize};

/// Account, project and user. Nothing leaks from one scope into another: sessions of another account or project are as
/// good as not there.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// From the user settings; `local` unless set.
    pub account: String,
    /// The root of the project's repository, absolute.
    pub project: String,
    /// Git's `user.email`, or the login name where git has none. Recorded with what a person does; it does not
    /// separate rows, since two people may work on one store.
    pub user: String,
}
