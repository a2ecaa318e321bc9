-- +goose Up

-- SQLite plans by its indexes alone: statistics of an instant mislead it.
DROP TABLE IF EXISTS sqlite_stat1;

-- +goose Down
SELECT 'migrations are forward-only';
