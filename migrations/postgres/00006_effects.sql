-- +goose Up
-- Consumers of the timeline: what follows from incidents after the commit.
CREATE TABLE effect_consumers (
    name         text PRIMARY KEY,
    kinds        text NOT NULL, -- of the events that it gets, joined by commas; empty for all
    cursor       bigint NOT NULL, -- the id of the last timeline event that it is done with
    lease_owner  text,
    lease_until  timestamptz,
    tries        integer NOT NULL, -- failures in a row
    retry_at     timestamptz, -- null for at once
    last_error   text NOT NULL,
    failed_event bigint, -- that fails by itself; null where it is not known
    changed_at   timestamptz NOT NULL
);

-- Events that a consumer did not get, since it fails with them.
CREATE TABLE effect_failures (
    consumer text NOT NULL,
    event_id bigint NOT NULL,
    error    text NOT NULL,
    tries    integer NOT NULL,
    at       timestamptz NOT NULL,
    PRIMARY KEY (consumer, event_id)
);

-- Consumers read the end of the timeline by id. Its rows lie in the order of
-- their ids, so that a summary of every 16 pages finds them, and an insert
-- writes nothing to it.
CREATE INDEX timeline_events_id ON timeline_events USING brin (id) WITH (pages_per_range = 16, autosummarize = on);

-- A timer is leased while it is carried out.
ALTER TABLE timers
    ADD COLUMN lease_owner text,
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN tries integer NOT NULL DEFAULT 0; -- failures in a row

-- +goose Down
SELECT 'migrations are forward-only';
