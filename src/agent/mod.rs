//! How agents are talked with. Knows prompts and worktrees only as text and paths.
