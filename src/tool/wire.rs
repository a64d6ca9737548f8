//! A call on its way from where an agent makes it to where it is carried out, and what comes back: a line of JSON each.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Reply;

/// The longest line of a call, in bytes. The longest arguments that a tool takes are far below.
pub const LONGEST: usize = 1024 * 1024;

/// A call. Whose it is, it cannot say: that is decided by where it arrives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The tool's name.
    pub tool: String,
    /// What it is given.
    #[serde(default)]
    pub arguments: Map<String, Value>,
    /// The session that the caller takes itself for: where the call arrives at another one's, that is said instead of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

impl Asked {
    /// Reads a line, which may be anything.
    ///
    /// # Errors
    /// What was expected, and what was found.
    pub fn read(line: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(line).map_err(|error| {
            format!(
                "a call is a line like {{\"tool\": \"get_session\", \"arguments\": {{}}}}, and this is none: {error}"
            )
        })
    }
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Told {
    /// What it asked for.
    Done(Value),
    /// Why not, and what to do instead.
    Refused(String),
    /// It could not be carried out, or was no call.
    Failed(String),
}

impl From<Reply> for Told {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Done(value) => Self::Done(value),
            Reply::Refused(why) => Self::Refused(why),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::{Asked, Told};

    #[test]
    fn a_call_is_what_it_was_and_everything_else_is_none() {
        let arguments = Map::from_iter([("component".to_owned(), json!("Cart"))]);
        let asked = Asked { tool: "reactivate_session".into(), arguments, session: Some("7".into()) };
        assert_eq!(Asked::read(&serde_json::to_vec(&asked).unwrap()), Ok(asked));
        assert!(Asked::read(b"{\"tool\": \"get_session\"}").is_ok());
        let deep = "[".repeat(100_000);
        for line in [
            &b""[..],
            b"null",
            b"[]",
            b"{}",
            b"\xff\xfe",
            b"{\"tool\": 7}",
            b"{\"tool\": \"x\", \"arguments\": []}",
            b"{\"tool\": \"x\", \"account\": \"other\"}",
            deep.as_bytes(),
        ] {
            assert!(Asked::read(line).unwrap_err().contains("this is none"));
        }
        assert_eq!(serde_json::to_value(Told::Refused("no".into())).unwrap(), json!({"refused": "no"}));
    }
}
