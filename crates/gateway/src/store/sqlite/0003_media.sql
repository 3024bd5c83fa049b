-- Files of messages. Their bytes are beside the database; `object` and `content_type` are set when those are on disk.

CREATE TABLE media (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id       INTEGER NOT NULL REFERENCES chats (id),
    end_user_id   INTEGER NOT NULL REFERENCES end_users (id),
    client_id     TEXT NOT NULL,
    name          TEXT NOT NULL,
    size_bytes    INTEGER NOT NULL,
    object        TEXT,
    content_type  TEXT,
    created_at_ms INTEGER NOT NULL,
    UNIQUE (chat_id, end_user_id, client_id),
    CHECK ((object IS NULL) = (content_type IS NULL))
) STRICT;
CREATE INDEX media_of_end_user ON media (end_user_id, created_at_ms);
