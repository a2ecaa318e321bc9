-- +goose Up

-- The title of an alert by its last trigger, which the incident of a group shows
-- beside those of the others.
ALTER TABLE alerts ADD COLUMN title text NOT NULL DEFAULT '';

-- +goose Down
SELECT 'migrations are forward-only';
