-- +goose Up
-- Every page cost an entry in this index when it was made, and on PostgreSQL
-- another one whenever it was planned. Whoever looks for the active pages of a
-- person finds them by the open incidents.
DROP INDEX pages_user_active;

-- +goose Down
SELECT 'migrations are forward-only';
