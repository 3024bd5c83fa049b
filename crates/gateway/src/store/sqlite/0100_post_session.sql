-- What follows the human part of a chat (`engine::gateway::PostSession`). No status is none. `post_session` has the rest of it as JSON, which nothing
-- is searched by.

ALTER TABLE chats ADD COLUMN post_session_status TEXT;
ALTER TABLE chats ADD COLUMN post_session_moved_at_ms INTEGER;
ALTER TABLE chats ADD COLUMN post_session TEXT;

CREATE INDEX chats_in_post_session ON chats (post_session_moved_at_ms) WHERE post_session_status <> 'finished';
CREATE INDEX chats_post_session_of_end_user ON chats (end_user_id, id) WHERE post_session_status <> 'finished';
