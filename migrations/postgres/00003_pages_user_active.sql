-- +goose Up
-- Nothing looks for the active pages of a person: every page cost an entry in
-- this index when it was made, and on PostgreSQL another one when it was planned.
DROP INDEX pages_user_active;

-- +goose Down
SELECT 'migrations are forward-only';
