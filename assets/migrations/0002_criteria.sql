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
