-- +goose Up
-- Ends of outages that the administrators are to be told of.
CREATE TABLE channel_recoveries (
    id           integer PRIMARY KEY AUTOINCREMENT,
    medium       text NOT NULL,
    broken_since timestamp NOT NULL,
    works_at     timestamp NOT NULL,
    released     bigint NOT NULL -- messages that waited
);

-- +goose Down
SELECT 'migrations are forward-only';
