-- What agents ask for beside their work: that a session is woken or made, that an issue is on record. A person may have to rule.
CREATE TABLE requests (
    id       BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    -- Whose agent asks, in which of its attempts.
    session  INTEGER NOT NULL REFERENCES sessions (row),
    seq      INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    version  INTEGER NOT NULL,
    body     TEXT NOT NULL CHECK (json_valid(body)),
    at       INTEGER NOT NULL,
    -- NULL while nobody has ruled.
    ruling   TEXT CHECK (ruling IS NULL OR json_valid(ruling)),
    ruled_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX requests_by_session ON requests (session, at);

-- How many of a session's requests wait for a ruling. Derived, like the columns beside it.
ALTER TABLE sessions ADD COLUMN requests INTEGER NOT NULL DEFAULT 0;
