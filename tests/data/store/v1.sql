-- The store as version 1 wrote it, with data: what was released stays readable.

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
    command      TEXT NOT NULL CHECK (json_valid(command)),
    -- The engine that makes the attempt; NULL for attempts that no process makes (children at work).
    owner        TEXT,
    status       TEXT,
    cause        TEXT,
    failure_set  TEXT,
    result       TEXT CHECK (result IS NULL OR json_valid(result)),
    started_at   INTEGER NOT NULL,
    completed_at INTEGER,
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

PRAGMA application_id = 0x63616c6c;
PRAGMA user_version = 1;

INSERT INTO projects VALUES (1, 'local', '/home/ada/shop', 'shop', 'A small web shop'), (2, 'other', '/home/ada/shop', 'shop', '');

INSERT INTO components VALUES
    (1, 'Orders', 1, '{"name":"Orders","kind":"context","parent":null,"priority":0,"description":"","depends_on":[],"paths":{"design":null,"code":null,"test":null}}', '{}'),
    (1, 'Pricing', 1, '{"name":"Pricing","kind":"module","parent":"Orders","priority":10,"description":"What it costs","depends_on":[],"paths":{"design":null,"code":"src/pricing.rs","test":"tests/pricing_test.rs"}}', '{"test":"0198c0de-0000-7000-8000-000000000002"}');
INSERT INTO stories VALUES (1, 'A customer sees the total', 0, 'Orders');
INSERT INTO criteria VALUES (1, 'AC-1', 0, 'A customer sees the total', 'Prices add up with tax');

-- A context that waits for its child, the child that is halted, and a session that was reactivated.
INSERT INTO sessions VALUES
    (1, x'0198c0de000070008000000000000001', 1, 'context_testing', 'Orders', NULL, 'active', 'auto', NULL, NULL, NULL, 'callboard/context_testing/orders', '/home/ada/w/orders', '1111111111111111111111111111111111111111', NULL, 1, 1790000000000000, 1790000004000000, 'spawn_component_testing_sessions', 2, NULL, 1, 1790000004000000, 'waiting', NULL, 0),
    (2, x'0198c0de000070008000000000000002', 1, 'component_test', 'Pricing', 1, 'active', 'agentic', 'claude', 'c0ffee', NULL, 'callboard/component_test/pricing', '/home/ada/w/pricing', '1111111111111111111111111111111111111111', NULL, 1, 1790000004000000, 1790000009000000, 'run_tests', 3, 'error', 1, 1790000008000000, 'halt', 'environment', 3),
    (3, x'0198c0de000070008000000000000003', 1, 'component_coding', 'Pricing', NULL, 'active', 'manual', NULL, NULL, 'main', NULL, NULL, NULL, NULL, 2, 1790000001000000, 1790000010000000, NULL, 0, NULL, 0, NULL, 'initialize', NULL, 0),
    (4, x'0198c0de000070008000000000000004', 2, 'component_test', 'Pricing', NULL, 'cancelled', 'auto', NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1, 1790000001000000, 1790000002000000, NULL, 0, NULL, 0, NULL, NULL, NULL, 0);

INSERT INTO generations VALUES
    (1, 1, 'initialize', '', 1, '{"by":"new"}', 1790000000000000),
    (2, 1, 'initialize', '', 1, '{"by":"new"}', 1790000004000000),
    (3, 1, 'initialize', '', 1, '{"by":"new"}', 1790000001000000),
    (3, 2, 'initialize', 'Rounding is in cents.', 1, '{"by":"person","user":"ada@example.com"}', 1790000010000000),
    (4, 1, 'initialize', '', 1, '{"by":"new"}', 1790000001000000);

INSERT INTO interactions VALUES
    (1, x'0198c0de000070008000000000000011', 1, 1, 1, 'initialize', 1, 1, '{"type":"git","operations":["git worktree add /home/ada/w/orders"]}', '42-a', 'ok', NULL, NULL, '{"status":"ok","cause":null,"code":null,"error_message":null,"data":{"branch":"callboard/context_testing/orders","worktree":"/home/ada/w/orders","base_commit":"1111111111111111111111111111111111111111","created":true},"duration_ms":12,"failure_set":null,"output":null}', 1790000000000000, 1790000003000000),
    (2, x'0198c0de000070008000000000000012', 1, 2, 1, 'spawn_component_testing_sessions', 1, 1, '{"type":"spawn_sessions","child_session_ids":["0198c0de-0000-7000-8000-000000000002"]}', NULL, NULL, NULL, NULL, NULL, 1790000004000000, NULL),
    (3, x'0198c0de000070008000000000000013', 2, 1, 1, 'initialize', 1, 1, '{"type":"git","operations":[]}', '42-a', 'ok', NULL, NULL, '{"status":"ok","cause":null,"code":null,"error_message":null,"data":null,"duration_ms":9,"failure_set":null,"output":null}', 1790000005000000, 1790000006000000),
    (4, x'0198c0de000070008000000000000014', 2, 2, 1, 'generate_tests_and_fixtures', 1, 1, '{"type":"agent","agent":"claude","prompt":"Write the tests of Pricing.","conversation_id":null}', '42-a', 'ok', NULL, NULL, '{"status":"ok","cause":null,"code":0,"error_message":null,"data":{"conversation_id":"c0ffee","changed":true},"duration_ms":900,"failure_set":null,"output":{"path":"/home/ada/out/2.log","bytes":10,"kept":10}}', 1790000006000000, 1790000007000000),
    (5, x'0198c0de000070008000000000000015', 2, 3, 1, 'run_tests', 1, 1, '{"type":"tests","argv":["cargo","test"],"directory":"/home/ada/w/pricing"}', '42-a', 'error', 'environment', NULL, '{"status":"error","cause":"environment","code":127,"error_message":"cargo is not installed","data":null,"duration_ms":1,"failure_set":null,"output":null}', 1790000008000000, 1790000009000000),
    (6, x'0198c0de000070008000000000000016', 3, 1, 1, 'initialize', 1, 1, '{"type":"git","operations":[]}', '42-a', 'error', 'cancelled', NULL, '{"status":"error","cause":"cancelled","code":null,"error_message":"the session was cancelled","data":null,"duration_ms":3,"failure_set":null,"output":null}', 1790000001000000, 1790000002000000);

INSERT INTO awaits VALUES (1, 2, 2);
INSERT INTO ledgers VALUES (2, 1, '[{"test":"adds_tax","file":"tests/pricing_test.rs","line":7,"message":"left: 1","compile":false,"fingerprint":"f","state":"fixed","first":3,"last":3,"returns":0}]');
INSERT INTO events VALUES
    (2, 1, 2, 1790000006000000, '{"type":"agent_text","text":"Reading the design."}'),
    (2, 2, 2, 1790000006500000, '{"type":"file_edit","path":"tests/pricing_test.rs"}'),
    (2, 3, 3, 1790000008500000, '{"type":"output","text":"sh: cargo: not found\n","stderr":true}');
INSERT INTO halts VALUES (x'0198c0de000070008000000000000021', 2, 3, 'environment', 'cargo is not installed', 1, '{"step":"run_tests","seq":3}', 1790000009000000);
INSERT INTO intents VALUES
    (1, x'0198c0de000070008000000000000031', 1, 'ada@example.com', 1, '{"action":"start"}', 1790000000000000, '{"answer":"done"}', 1790000000100000),
    (2, x'0198c0de000070008000000000000032', 2, 'ada@example.com', 1, '{"action":"retry"}', 1790000010000000, NULL, NULL);
INSERT INTO consents VALUES (1, 'abc', 'ada@example.com', 1790000000000000);
