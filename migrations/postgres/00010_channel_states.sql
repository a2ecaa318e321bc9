-- +goose Up
-- The channels that have failed since their last success, by medium.
CREATE TABLE channel_states (
    medium        text PRIMARY KEY,
    failing_since timestamptz NOT NULL, -- the first failure since the last success
    failed_at     timestamptz NOT NULL, -- the last failure
    broken_since  timestamptz, -- null until the failures count as an outage
    holds         boolean NOT NULL, -- its messages wait for the next probe
    reason        text NOT NULL, -- of the last failure
    probe_at      timestamptz, -- when one of the waiting messages is tried; null where none waits
    told_at       timestamptz -- when the administrators were last told
);
-- When a message began to wait for its channel, or was last tried as a probe.
ALTER TABLE messages ADD COLUMN held_at timestamptz;
CREATE INDEX messages_held ON messages (medium, held_at) WHERE held_at IS NOT NULL AND state = 'queued';
-- What is left of the timeouts of steps of the present run that ended early.
ALTER TABLE escalations ADD COLUMN owed_ms bigint NOT NULL DEFAULT 0;

-- +goose Down
SELECT 'migrations are forward-only';
