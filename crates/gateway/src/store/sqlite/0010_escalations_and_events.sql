-- An escalation is known by the index of the notice that says what became of it. Those of before are kept under the numbers they had.

CREATE TABLE chat_escalations (
    chat_id       INTEGER NOT NULL REFERENCES chats (id),
    escalation_id INTEGER NOT NULL,
    at_ms         INTEGER NOT NULL,
    reason        TEXT,
    request       TEXT NOT NULL,
    channel       TEXT,
    PRIMARY KEY (chat_id, escalation_id)
) STRICT, WITHOUT ROWID;
INSERT INTO chat_escalations (chat_id, escalation_id, at_ms, reason, request)
SELECT chat_id, id, queued_at_ms, reason, request FROM escalations;
DROP TABLE escalations;

-- What the end user's pages report about a chat, in order. The newest name in them is what the chat's agents read.
CREATE TABLE chat_events (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id INTEGER NOT NULL REFERENCES chats (id),
    at_ms   INTEGER NOT NULL,
    name    TEXT NOT NULL,
    data    TEXT NOT NULL
) STRICT;
CREATE INDEX chat_events_of_chat ON chat_events (chat_id, id);
ALTER TABLE chats ADD COLUMN end_user_name TEXT;

-- An end user's history.
CREATE INDEX chats_ended ON chats (end_user_id, id) WHERE ended_at_ms IS NOT NULL;
