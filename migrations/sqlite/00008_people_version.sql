-- +goose Up
-- Raised instead of config_version by changes of contact methods, personal rules
-- and passwords, which change no route: signals that are queued stay valid.
ALTER TABLE organization ADD COLUMN people_version bigint NOT NULL DEFAULT 0;

-- +goose Down
SELECT 'migrations are forward-only';
