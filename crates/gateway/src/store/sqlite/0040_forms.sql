-- What was answered to forms and is shown to agents only. Everybody reads the message, which has a mask in its place.

CREATE TABLE masked_answers (
    chat_id         INTEGER NOT NULL REFERENCES chats (id),
    smart_action_id INTEGER NOT NULL,
    masked_id       TEXT NOT NULL,
    answers         TEXT NOT NULL,
    PRIMARY KEY (chat_id, smart_action_id, masked_id)
) STRICT, WITHOUT ROWID;
