-- +goose Up
-- The open incidents that somebody owns, by an expression that no other index has: of
-- incidents_open, a planner with statistics of a time without open incidents believes that
-- it has none to read.
DROP INDEX incidents_owned;
CREATE INDEX incidents_owned ON incidents ((CASE WHEN status <> 'resolved' THEN owner_id END))
    WHERE CASE WHEN status <> 'resolved' THEN owner_id END IS NOT NULL;

-- +goose Down
SELECT 'migrations are forward-only';
