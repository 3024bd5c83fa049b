-- Times are milliseconds since 1970. What comes from outside is kept as it was sent, as JSON text.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE end_users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    company_id    TEXT NOT NULL,
    identifier    TEXT,
    secret_sha256 BLOB,
    name          TEXT,
    email         TEXT,
    phone         TEXT,
    CHECK ((identifier IS NULL) <> (secret_sha256 IS NULL))
) STRICT;
CREATE UNIQUE INDEX end_users_by_identifier ON end_users (company_id, identifier) WHERE identifier IS NOT NULL;
CREATE UNIQUE INDEX end_users_by_secret ON end_users (company_id, secret_sha256) WHERE secret_sha256 IS NOT NULL;

CREATE TABLE agents (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    login      TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    avatar_url TEXT
) STRICT;

CREATE TABLE agent_sessions (
    token_sha256  BLOB PRIMARY KEY,
    agent_id      INTEGER NOT NULL REFERENCES agents (id),
    expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- `platform` names where the chat lives, `platform_ref` its id there. `revision` is what a change compares and sets.
CREATE TABLE chats (
    id                    INTEGER PRIMARY KEY AUTOINCREMENT,
    company_id            TEXT NOT NULL,
    platform              TEXT NOT NULL,
    platform_ref          TEXT,
    end_user_id           INTEGER NOT NULL REFERENCES end_users (id),
    client_id             TEXT NOT NULL,
    menu_id               INTEGER NOT NULL,
    lang                  TEXT NOT NULL,
    request               TEXT NOT NULL,
    status                TEXT NOT NULL,
    agent_id              INTEGER REFERENCES agents (id),
    virtual_agent_id      INTEGER,
    all_agent_ids         TEXT NOT NULL,
    all_virtual_agent_ids TEXT NOT NULL,
    created_at_ms         INTEGER NOT NULL,
    queued_at_ms          INTEGER,
    assigned_at_ms        INTEGER,
    ended_at_ms           INTEGER,
    ended_by              TEXT,
    dropped               INTEGER NOT NULL,
    last_index            INTEGER NOT NULL,
    revision              INTEGER NOT NULL,
    UNIQUE (end_user_id, client_id)
) STRICT;
CREATE INDEX chats_waiting ON chats (queued_at_ms, id) WHERE status = 'queued';
CREATE INDEX chats_of_agent ON chats (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX chats_ongoing ON chats (end_user_id, id) WHERE status <> 'finished' AND dropped = 0;
CREATE INDEX chats_handled ON chats (company_id, menu_id, ended_at_ms) WHERE ended_at_ms IS NOT NULL AND assigned_at_ms IS NOT NULL;
CREATE UNIQUE INDEX chats_elsewhere ON chats (platform, platform_ref) WHERE platform_ref IS NOT NULL;

CREATE TABLE messages (
    chat_id     INTEGER NOT NULL REFERENCES chats (id),
    idx         INTEGER NOT NULL,
    author_type TEXT NOT NULL,
    author_id   INTEGER NOT NULL,
    client_id   TEXT,
    at_ms       INTEGER NOT NULL,
    body        TEXT NOT NULL,
    PRIMARY KEY (chat_id, idx)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX messages_by_client_id ON messages (chat_id, author_type, author_id, client_id) WHERE client_id IS NOT NULL;

CREATE TABLE escalations (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id      INTEGER NOT NULL REFERENCES chats (id),
    queued_at_ms INTEGER NOT NULL,
    reason       TEXT,
    request      TEXT NOT NULL,
    UNIQUE (chat_id, queued_at_ms)
) STRICT;
