-- What persons said to agents beside their prompts.
CREATE TABLE messages (
    id           BLOB PRIMARY KEY CHECK (length(id) = 16),
    session      INTEGER NOT NULL REFERENCES sessions (row),
    user         TEXT NOT NULL,
    text         TEXT NOT NULL,
    at           INTEGER NOT NULL,
    -- The attempt whose agent was told last.
    seq          INTEGER,
    delivered_at INTEGER,
    -- Until then the next agent is told again.
    seen_at      INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX messages_of ON messages (session, id);
CREATE INDEX messages_unseen ON messages (session, id) WHERE seen_at IS NULL;

-- What exactly an agent asks for: a whole command, or what would be different in a file.
ALTER TABLE permissions ADD COLUMN detail TEXT NOT NULL DEFAULT '';
-- What a rule for it would be about; empty: no rule can be.
ALTER TABLE permissions ADD COLUMN subject TEXT NOT NULL DEFAULT '';
-- That is files, whatever would become of them.
ALTER TABLE permissions ADD COLUMN files INTEGER NOT NULL DEFAULT 0 CHECK (files IN (0, 1));
