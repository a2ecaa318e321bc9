-- +goose Up

-- An integration's own rule for dedup keys, an expression; empty for none.
ALTER TABLE integrations ADD COLUMN dedup text NOT NULL DEFAULT '';

-- +goose Down
SELECT 'migrations are forward-only';
