-- +goose Up
-- Where a file corrects a contact that its owner had switched off, the address
-- that was is remembered, so that it is still off should a file bring it back.
ALTER TABLE contact_methods ADD COLUMN stopped_address text NOT NULL DEFAULT '';

-- +goose Down
SELECT 'migrations are forward-only';
