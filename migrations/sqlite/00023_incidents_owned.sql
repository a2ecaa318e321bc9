-- +goose Up
-- As in PostgreSQL, where a plan took incidents_open in its place.
DROP INDEX incidents_owned;
CREATE INDEX incidents_owned ON incidents ((CASE WHEN status <> 'resolved' THEN owner_id END))
    WHERE CASE WHEN status <> 'resolved' THEN owner_id END IS NOT NULL;

-- +goose Down
SELECT 'migrations are forward-only';
