-- What agents asked whether they may do it, and what they were told.
CREATE TABLE permissions (
    id          BLOB PRIMARY KEY CHECK (length(id) = 16),
    session     INTEGER NOT NULL REFERENCES sessions (row),
    -- The attempt that it was asked in.
    seq         INTEGER NOT NULL,
    tool        TEXT NOT NULL,
    title       TEXT NOT NULL,
    asked_at    INTEGER NOT NULL,
    -- No answer until then is a no.
    until       INTEGER NOT NULL,
    answered_at INTEGER,
    allowed     INTEGER,
    lasts       TEXT,
    user        TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX permissions_open ON permissions (session, id) WHERE answered_at IS NULL;
CREATE INDEX permissions_lasting ON permissions (session) WHERE lasts IN ('session', 'always');

-- How many of them wait for an answer, so that the board need not count.
ALTER TABLE sessions ADD COLUMN asks INTEGER NOT NULL DEFAULT 0;
