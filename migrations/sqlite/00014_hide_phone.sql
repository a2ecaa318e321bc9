-- +goose Up
-- Whether the person keeps the telephone numbers of their contact methods from
-- colleagues.
ALTER TABLE users ADD COLUMN hide_phone boolean NOT NULL DEFAULT false;

-- +goose Down
SELECT 'migrations are forward-only';
