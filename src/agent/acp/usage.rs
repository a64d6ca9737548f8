//! What a turn used up.

use serde_json::Value;

use crate::{
    agent::talk::{Conversation, Opening},
    model::Usage,
};

/// No session costs more, in dollars; what is beyond is no cost.
const DEAREST: f64 = 1e6;

/// What is known of it so far.
#[derive(Debug, Default)]
pub(super) struct Used {
    tokens: Option<Usage>,
    /// What the conversation has cost, in millionths of a dollar: before this turn, and up to now.
    before: u64,
    now: Option<u64>,
    /// The agent has done something in this turn.
    begun: bool,
}

impl Used {
    /// Of a turn in a conversation that is new, or goes on.
    pub(super) fn of(opening: &Opening) -> Self {
        let begun = matches!(opening.conversation, Conversation::New(_));
        Self { begun, before: if begun { 0 } else { opening.spent }, ..Self::default() }
    }

    /// What comes now costs something.
    pub(super) const fn begin(&mut self) {
        self.begun = true;
    }

    /// An agent tells what the whole conversation has cost so far. One that goes on with a conversation may first tell what it had
    /// cost until then.
    pub(super) fn updated(&mut self, update: &Value) {
        let cost = &update["cost"];
        let dollars = cost["amount"].as_f64().filter(|_| cost["currency"] == "USD");
        let Some(dollars) = dollars.filter(|dollars| (0.0..DEAREST).contains(dollars)) else { return };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is between zero and a million millions"
        )]
        let cost = (dollars * 1e6).round() as u64;
        if self.begun { self.now = Some(cost) } else { self.before = cost }
    }

    /// A prompt was answered. Some count what came from a cache with what was read, some beside it; the sum of all tells which.
    pub(super) fn ended(&mut self, usage: &Value) {
        let tokens = |key: &str| usage[key].as_u64().unwrap_or_default();
        let (cached, output) = (tokens("cachedReadTokens"), tokens("outputTokens"));
        let input = match tokens("totalTokens") {
            0 => tokens("inputTokens"),
            total => total.saturating_sub(output),
        };
        let used = Usage { input_tokens: input, cached_tokens: cached, output_tokens: output, cost_microdollars: None };
        if used.input_tokens.saturating_add(used.output_tokens) > 0 {
            self.tokens = Some(self.tokens.map_or(used, |before| before.and(used)));
        }
    }

    /// All of it, as far as it was told.
    pub(super) fn all(&self) -> Option<Usage> {
        // One that counts anew, against the protocol, tells less than there was.
        let cost = self.now.map(|now| now.checked_sub(self.before).unwrap_or(now));
        match (self.tokens, cost) {
            (None, None) => None,
            (tokens, cost) => Some(Usage { cost_microdollars: cost, ..tokens.unwrap_or_default() }),
        }
    }
}
