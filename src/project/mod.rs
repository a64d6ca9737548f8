//! callboard.toml, discovery, components, stories.
