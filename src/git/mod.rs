//! What git is asked and how its answers are read. git2 reads; the user's own git writes.
