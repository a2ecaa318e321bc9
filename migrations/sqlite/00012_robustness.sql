-- +goose Up
-- Schedules count a person for nothing from this instant on; the shifts before it
-- stay. When people were deactivated before this migration is not known.
ALTER TABLE users ADD COLUMN deactivated_at timestamp;
UPDATE users SET deactivated_at = strftime('%Y-%m-%d %H:%M:%f+00:00', 'now') WHERE NOT active;

-- What incidents refer to is not deleted but archived.
ALTER TABLE policies ADD COLUMN archived_at timestamp;
ALTER TABLE services ADD COLUMN archived_at timestamp;

-- Probes write here, so that a full disk is noticed. written_at is by the clock that
-- due times are compared with: a step of that clock shows by it.
CREATE TABLE heartbeats (
    name       text PRIMARY KEY,
    written_at timestamp NOT NULL
);

-- +goose Down
SELECT 'migrations are forward-only';
