-- Files of agents, and of other kinds than photos. An author is named as a message's is.

CREATE TABLE media_of_everyone (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id       INTEGER NOT NULL REFERENCES chats (id),
    author_type   TEXT NOT NULL,
    author_id     INTEGER NOT NULL,
    client_id     TEXT NOT NULL,
    kind          TEXT NOT NULL,
    name          TEXT NOT NULL,
    size_bytes    INTEGER NOT NULL,
    object        TEXT,
    content_type  TEXT,
    created_at_ms INTEGER NOT NULL,
    UNIQUE (chat_id, author_type, author_id, client_id),
    CHECK ((object IS NULL) = (content_type IS NULL))
) STRICT;

INSERT INTO media_of_everyone
    SELECT id, chat_id, 'end_user', end_user_id, client_id, 'photo', name, size_bytes, object, content_type, created_at_ms FROM media;

DROP TABLE media;
ALTER TABLE media_of_everyone RENAME TO media;
CREATE INDEX media_of_author ON media (author_type, author_id, created_at_ms);
