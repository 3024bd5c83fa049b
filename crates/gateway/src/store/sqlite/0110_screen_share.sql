-- The newest screen share of a chat (`engine::gateway::ScreenShare`), as JSON, which nothing is searched by. `screen_share_due_at_ms` says from when on
-- a chat that nobody has loaded must be looked at for it; none where the share is over.

ALTER TABLE chats ADD COLUMN screen_share TEXT;
ALTER TABLE chats ADD COLUMN screen_share_due_at_ms INTEGER;

CREATE INDEX chats_with_open_screen_share ON chats (screen_share_due_at_ms) WHERE screen_share_due_at_ms IS NOT NULL;
