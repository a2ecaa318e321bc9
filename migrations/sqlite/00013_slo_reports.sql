-- +goose Up

-- Of the SLOs of a service for one SLI, one may be the default, for endpoints without
-- an SLO of their own. deployments is a list of slugs; an empty one stands for all.
ALTER TABLE slos ADD COLUMN is_default boolean NOT NULL DEFAULT false;
ALTER TABLE slos ADD COLUMN deployments text NOT NULL DEFAULT '[]';

-- What senders measured of SLOs, quiet hours included. The fingerprint is of the SLO's
-- name, the SLI, the endpoint, the deployment and the end of the interval.
CREATE TABLE slo_reports (
    id               integer PRIMARY KEY AUTOINCREMENT,
    service_id       bigint NOT NULL,
    integration_id   bigint NOT NULL,
    slo_id           bigint,
    slo_name         text NOT NULL,
    sli              text NOT NULL,
    endpoint         text NOT NULL,
    deployment       text NOT NULL,
    interval_from    timestamp NOT NULL,
    interval_to      timestamp NOT NULL,
    objective        double precision,
    observed         double precision,
    budget_remaining double precision,
    budget_depleted  double precision,
    depletion_window bigint NOT NULL, -- seconds, 0 for none
    burn_rate        double precision,
    total            bigint,
    good             bigint,
    received_at      timestamp NOT NULL,
    body             blob NOT NULL,
    fingerprint      text NOT NULL
);
CREATE UNIQUE INDEX slo_reports_interval ON slo_reports (service_id, interval_from, fingerprint);

-- Lists of one priority, newest first, of all services and of one.
CREATE INDEX incidents_priority ON incidents (priority, number);
CREATE INDEX incidents_service_priority ON incidents (service_id, priority, number);

-- +goose Down
SELECT 'migrations are forward-only';
