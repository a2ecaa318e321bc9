-- +goose Up

-- A request asks people to join an incident or to take it over: an escalation with the
-- purpose responder, or the primary one of an incident opened by paging somebody.
-- request is an incident.Request as JSON, empty where a policy says whom to page;
-- outcome is how it ended.
ALTER TABLE escalations ADD COLUMN request text NOT NULL DEFAULT '';
ALTER TABLE escalations ADD COLUMN outcome text NOT NULL DEFAULT '';

-- Until when an acknowledged incident is snoozed; then it is triggered again.
ALTER TABLE incidents ADD COLUMN snoozed_until timestamptz;

-- The notices that people got of events, so that an event that is read twice tells
-- nobody twice.
CREATE TABLE notices (
    event_id bigint NOT NULL,
    user_id  bigint NOT NULL,
    PRIMARY KEY (event_id, user_id)
);

-- +goose Down
SELECT 'migrations are forward-only';
