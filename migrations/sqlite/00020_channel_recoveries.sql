-- +goose Up
-- Ends of outages that the administrators are to be told of.
CREATE TABLE channel_recoveries (
    id           integer PRIMARY KEY AUTOINCREMENT,
    medium       text NOT NULL,
    broken_since timestamp NOT NULL,
    ended_at     timestamp NOT NULL,
    how          text NOT NULL, -- works, untried, removed
    released     bigint NOT NULL -- messages that waited
);

-- +goose Down
SELECT 'migrations are forward-only';
