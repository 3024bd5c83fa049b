-- What the timers of silence run from (`engine::gateway::ChatState`). Chats of before count as having moved when they last changed.

ALTER TABLE chats ADD COLUMN updated_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN active_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN end_user_wrote INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN unanswered_since_ms INTEGER;

UPDATE chats SET updated_at_ms = max(
    created_at_ms, COALESCE(queued_at_ms, 0), COALESCE(assigned_at_ms, 0), COALESCE(ended_at_ms, 0),
    COALESCE((SELECT max(at_ms) FROM messages WHERE chat_id = chats.id), 0));
UPDATE chats SET active_at_ms = updated_at_ms;
UPDATE chats SET end_user_wrote = 1 WHERE EXISTS (SELECT 1 FROM messages WHERE chat_id = chats.id AND author_type = 'end_user');

CREATE INDEX chats_unanswered ON chats (unanswered_since_ms) WHERE unanswered_since_ms IS NOT NULL;
CREATE INDEX chats_active ON chats (active_at_ms) WHERE status <> 'finished';
