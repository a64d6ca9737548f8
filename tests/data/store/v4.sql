-- What versions 3 and 4 added to the store of version 2, with data.

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

INSERT INTO requests VALUES (x'0198c0de000070008000000000000041', 3, 1, 'issue', 1, '{"kind":"issue","summary":"It rounds.","details":""}', 1790000013000000, NULL, NULL);
INSERT INTO permissions VALUES (x'0198c0de000070008000000000000051', 3, 1, 'Bash', 'cargo add serde', 1790000013000000, 1790000613000000, NULL, NULL, NULL, NULL);
INSERT INTO permissions VALUES (x'0198c0de000070008000000000000052', 3, 1, 'Bash', 'cargo add toml', 1790000012000000, 1790000612000000, 1790000012500000, 1, 'always', 'ada@example.com');
UPDATE sessions SET requests = 1, asks = 1 WHERE row = 3;
PRAGMA user_version = 4;
