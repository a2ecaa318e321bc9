-- +goose Up
-- Whether slo_name names an objective that a contract promises.
ALTER TABLE slo_reports ADD COLUMN sla BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
SELECT 'migrations are forward-only';
