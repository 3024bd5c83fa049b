-- Transfer, warnings, failures and check-ins (`engine::gateway::ChatState`). Chats that wait count as having been seen when they entered.

ALTER TABLE chats ADD COLUMN fail_reason TEXT;
ALTER TABLE chats ADD COLUMN dismiss_at_ms INTEGER;
ALTER TABLE chats ADD COLUMN queue_front INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN queue_behind INTEGER NOT NULL DEFAULT 0;
ALTER TABLE chats ADD COLUMN seen_at_ms INTEGER;
ALTER TABLE chats ADD COLUMN hidden_since_ms INTEGER;
ALTER TABLE chats ADD COLUMN check_in_expires_at_ms INTEGER;
ALTER TABLE chats ADD COLUMN check_in_notified INTEGER NOT NULL DEFAULT 0;

UPDATE chats SET seen_at_ms = queued_at_ms;

DROP INDEX chats_waiting;
CREATE INDEX chats_waiting ON chats (queue_front DESC, queued_at_ms, id) WHERE status = 'queued';
