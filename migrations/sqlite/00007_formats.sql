-- +goose Up

-- Alerts that fire under the same group of a service share one open incident.
ALTER TABLE incidents ADD COLUMN group_key text NOT NULL DEFAULT '';
CREATE UNIQUE INDEX incidents_group ON incidents (service_id, group_key) WHERE group_key <> '' AND status <> 'resolved';

-- A rejected request is replayed by the format of the path that it was posted to.
ALTER TABLE rejected_signals ADD COLUMN endpoint text NOT NULL DEFAULT '/webhooks/slo';

-- Deployments and other changes of services. The fingerprint is of the
-- integration, the summary and the source, so that a change that is sent again is
-- kept once.
CREATE TABLE changes (
    id             integer PRIMARY KEY AUTOINCREMENT,
    service_id     bigint NOT NULL,
    integration_id bigint NOT NULL,
    summary        text NOT NULL,
    source         text NOT NULL,
    at             timestamp NOT NULL,
    links          text NOT NULL,
    details        text NOT NULL,
    received_at    timestamp NOT NULL,
    fingerprint    text NOT NULL
);
CREATE UNIQUE INDEX changes_service ON changes (service_id, at, fingerprint);

-- +goose Down
SELECT 'migrations are forward-only';
