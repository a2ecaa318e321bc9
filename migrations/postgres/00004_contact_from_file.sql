-- +goose Up
-- A file may correct the contact that it made as long as its owner has not made
-- it theirs, by verifying or replacing it. Of contacts that are there already
-- nobody knows who made them, so they count as their owners'.
ALTER TABLE contact_methods ADD COLUMN from_file boolean NOT NULL DEFAULT false;

-- +goose Down
SELECT 'migrations are forward-only';
