-- What version 2 added to the store of version 1, with data.

-- How a criterion stands by the tests that carry its id: written when an integration session is finalized.
CREATE TABLE criterion_checks (
    project   INTEGER NOT NULL REFERENCES projects (id),
    criterion TEXT NOT NULL,
    session   INTEGER NOT NULL REFERENCES sessions (row),
    version   INTEGER NOT NULL,
    -- The state, the tests that carry its id, the files that they and the context are made of.
    body      TEXT NOT NULL CHECK (json_valid(body)),
    commit_id TEXT NOT NULL,
    at        INTEGER NOT NULL,
    -- Whether one of the files has changed since.
    stale     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (project, criterion)
) STRICT, WITHOUT ROWID;

-- What a person said of a criterion by hand; the newest wins over every test.
CREATE TABLE criterion_words (
    project   INTEGER NOT NULL REFERENCES projects (id),
    criterion TEXT NOT NULL,
    at        INTEGER NOT NULL,
    state     TEXT NOT NULL,
    note      TEXT NOT NULL,
    user      TEXT NOT NULL,
    PRIMARY KEY (project, criterion, at)
) STRICT, WITHOUT ROWID;

-- Tests that were run once more at a branch's base commit.
CREATE TABLE base_runs (
    project   INTEGER NOT NULL REFERENCES projects (id),
    commit_id TEXT NOT NULL,
    test      TEXT NOT NULL,
    failed    INTEGER NOT NULL,
    PRIMARY KEY (project, commit_id, test)
) STRICT, WITHOUT ROWID;

INSERT INTO criterion_checks VALUES (1, 'P-1', 3, 1, '{"id":"P-1","text":"it pays","state":"satisfied","tests":[],"files":[]}', 'abc', 1790000011000000, 0);
INSERT INTO criterion_words VALUES (1, 'P-2', 1790000012000000, 'unmet', 'not yet', 'ada@example.com');
INSERT INTO base_runs VALUES (1, 'abc', 'adds', 1);
PRAGMA user_version = 2;
