//! Going on with a conversation by hand: the agent's own program, as a person starts it in a terminal.

use crate::model::{AgentConfig, Preset, Protocol};

/// The command line with which an agent's own program goes on with a conversation in a terminal.
///
/// # Errors
/// Why there is none, in words.
pub fn takeover(agent: &AgentConfig, conversation: &str) -> Result<Vec<String>, String> {
    // The agent said the name. One that begins with a dash would be an option of its program.
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    if conversation.is_empty() || conversation.starts_with('-') || !conversation.chars().all(is_plain) {
        return Err(format!("the conversation has a name that no program is given: {conversation:?}"));
    }
    let mut argv = agent.program();
    let options = match (agent.protocol, agent.preset) {
        (Protocol::Claude, _) => &["--resume"][..],
        // Without a server that outlives it: that would keep the conversation, and callboard's next turn would be refused.
        (Protocol::Codex, _) => &["resume", "--no-daemon"],
        // What callboard talks with is one command of the program.
        (Protocol::Acp, Some(Preset::OpenCode)) if argv.last().is_some_and(|last| last == "acp") => {
            argv.pop();
            &["--session"]
        }
        (Protocol::Acp | Protocol::Command | Protocol::Script, _) => {
            return Err(format!(
                "no program is known that goes on with the conversations of its agent {} (protocol {}); there is one for \
                 claude, codex and opencode",
                agent.name, agent.protocol
            ));
        }
    };
    argv.extend(options.iter().map(|option| (*option).to_owned()));
    argv.push(conversation.to_owned());
    argv.extend(agent.args.clone());
    Ok(argv)
}
