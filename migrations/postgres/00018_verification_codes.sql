-- +goose Up
-- The messages that still hold a verification code, which is deleted when it expires.
CREATE INDEX messages_codes ON messages (created_at) WHERE kind = 'verify' AND body <> '';

-- +goose Down
SELECT 'migrations are forward-only';
