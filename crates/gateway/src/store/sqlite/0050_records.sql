-- What areas of the platform keep beside the chats: the answers of a survey, call requests, mails. What a body means is the area's.

CREATE TABLE records (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT NOT NULL,
    company_id  TEXT NOT NULL,
    end_user_id INTEGER REFERENCES end_users (id),
    chat_id     INTEGER REFERENCES chats (id),
    key         TEXT,
    topic       TEXT,
    status      TEXT NOT NULL,
    due_at_ms   INTEGER,
    at_ms       INTEGER NOT NULL,
    body        TEXT NOT NULL,
    revision    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_of_key ON records (kind, company_id, key) WHERE key IS NOT NULL;
CREATE INDEX records_of_company ON records (kind, company_id, at_ms);
CREATE INDEX records_of_end_user ON records (kind, end_user_id, at_ms) WHERE end_user_id IS NOT NULL;
CREATE INDEX records_of_chat ON records (kind, chat_id) WHERE chat_id IS NOT NULL;
CREATE INDEX records_of_topic ON records (kind, company_id, topic) WHERE topic IS NOT NULL;
CREATE INDEX records_due ON records (kind, due_at_ms) WHERE due_at_ms IS NOT NULL;
