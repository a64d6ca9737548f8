-- Ids are UUIDv7 as 16 bytes; times are UTC microseconds; JSON columns stand beside the version of their shape.
-- Every table but `meta` leads to a project, and every query names one: nothing leaks across scopes.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE projects (
    id          INTEGER PRIMARY KEY,
    account     TEXT NOT NULL,
    root        TEXT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    UNIQUE (account, root)
) STRICT;

-- Synchronised from the project's files by name.
CREATE TABLE components (
    project    INTEGER NOT NULL REFERENCES projects (id),
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    body       TEXT NOT NULL CHECK (json_valid(body)),
    -- Session ids by file kind (test, code, design): who made the file that is there now.
    created_by TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(created_by)),
    PRIMARY KEY (project, name)
) STRICT, WITHOUT ROWID;

-- Synchronised from the project's files by title and by criterion id.
CREATE TABLE stories (
    project   INTEGER NOT NULL REFERENCES projects (id),
    title     TEXT NOT NULL,
    position  INTEGER NOT NULL,
    component TEXT NOT NULL,
    PRIMARY KEY (project, title)
) STRICT, WITHOUT ROWID;

CREATE TABLE criteria (
    project  INTEGER NOT NULL REFERENCES projects (id),
    id       TEXT NOT NULL,
    position INTEGER NOT NULL,
    story    TEXT NOT NULL,
    text     TEXT NOT NULL,
    PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    row             INTEGER PRIMARY KEY,
    id              BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    project         INTEGER NOT NULL REFERENCES projects (id),
    kind            TEXT NOT NULL,
    component       TEXT NOT NULL,
    parent          INTEGER REFERENCES sessions (row),
    status          TEXT NOT NULL,
    mode            TEXT NOT NULL,
    agent           TEXT,
    conversation_id TEXT,
    base            TEXT,
    branch          TEXT,
    worktree        TEXT,
    base_commit     TEXT,
    last_commit     TEXT,
    generation      INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    -- Derived from the interactions in the same transaction, so that the board need not read them.
    step            TEXT,
    step_seq        INTEGER NOT NULL DEFAULT 0,
    step_status     TEXT,
    iteration       INTEGER NOT NULL DEFAULT 0,
    step_started_at INTEGER,
    next            TEXT,
    halt            TEXT,
    events          INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX sessions_by_project ON sessions (project, row);
CREATE INDEX sessions_by_parent ON sessions (parent) WHERE parent IS NOT NULL;
CREATE INDEX sessions_active ON sessions (project, row) WHERE status = 'active';
CREATE INDEX sessions_by_component ON sessions (project, component);
CREATE INDEX sessions_by_branch ON sessions (project, branch) WHERE branch IS NOT NULL;

CREATE TABLE generations (
    session   INTEGER NOT NULL REFERENCES sessions (row),
    number    INTEGER NOT NULL,
    start     TEXT NOT NULL,
    context   TEXT NOT NULL,
    version   INTEGER NOT NULL,
    origin    TEXT NOT NULL CHECK (json_valid(origin)),
    opened_at INTEGER NOT NULL,
    PRIMARY KEY (session, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE interactions (
    row          INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    session      INTEGER NOT NULL REFERENCES sessions (row),
    seq          INTEGER NOT NULL,
    generation   INTEGER NOT NULL,
    step         TEXT NOT NULL,
    iteration    INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    -- The engine that makes the attempt; NULL for attempts that no process makes (children at work).
    owner        TEXT,
    status       TEXT,
    cause        TEXT,
    failure_set  TEXT,
    started_at   INTEGER NOT NULL,
    completed_at INTEGER,
    -- Last, since they are long: what stands before them is read without them.
    command      TEXT NOT NULL CHECK (json_valid(command)),
    result       TEXT CHECK (result IS NULL OR json_valid(result)),
    UNIQUE (session, seq)
) STRICT;

CREATE INDEX interactions_pending ON interactions (session) WHERE status IS NULL;

-- Which sessions a session waits for, since which of its interactions.
CREATE TABLE awaits (
    session INTEGER NOT NULL REFERENCES sessions (row),
    awaited INTEGER NOT NULL REFERENCES sessions (row),
    seq     INTEGER NOT NULL,
    PRIMARY KEY (session, awaited)
) STRICT, WITHOUT ROWID;

CREATE INDEX awaits_by_awaited ON awaits (awaited);

CREATE TABLE ledgers (
    session INTEGER PRIMARY KEY REFERENCES sessions (row),
    version INTEGER NOT NULL,
    body    TEXT NOT NULL CHECK (json_valid(body))
) STRICT;

CREATE TABLE events (
    session     INTEGER NOT NULL REFERENCES sessions (row),
    n           INTEGER NOT NULL,
    interaction INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (session, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE halts (
    id       BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    session  INTEGER NOT NULL REFERENCES sessions (row),
    seq      INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    message  TEXT NOT NULL,
    version  INTEGER NOT NULL,
    evidence TEXT NOT NULL CHECK (json_valid(evidence)),
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX halts_by_session ON halts (session, seq);

CREATE TABLE decisions (
    halt          BLOB NOT NULL PRIMARY KEY REFERENCES halts (id),
    verdict       TEXT NOT NULL,
    note          TEXT,
    user          TEXT NOT NULL,
    at            INTEGER NOT NULL,
    evidence_hash TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE intents (
    n           INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    session     INTEGER NOT NULL REFERENCES sessions (row),
    user        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    action      TEXT NOT NULL CHECK (json_valid(action)),
    at          INTEGER NOT NULL,
    answer      TEXT CHECK (answer IS NULL OR json_valid(answer)),
    answered_at INTEGER
) STRICT;

CREATE INDEX intents_open ON intents (n) WHERE answered_at IS NULL;

-- What a person agreed to have run, by the hash of exactly that.
CREATE TABLE consents (
    project INTEGER NOT NULL REFERENCES projects (id),
    hash    TEXT NOT NULL,
    user    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (project, hash)
) STRICT, WITHOUT ROWID;
