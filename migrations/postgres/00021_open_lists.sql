-- +goose Up
-- The open incidents in the order of their list: triggered before acknowledged, then by
-- priority, then by age; the service is there to be filtered by. The expressions are
-- those of the query.
CREATE INDEX incidents_urgent ON incidents (
    (CASE status WHEN 'triggered' THEN 0 WHEN 'acknowledged' THEN 1 ELSE 2 END),
    (CASE WHEN priority IS NULL THEN 0 WHEN priority = 0 THEN 9 ELSE priority END),
    number,
    (service_id + 0)
) WHERE CASE status WHEN 'triggered' THEN 0 WHEN 'acknowledged' THEN 1 ELSE 2 END < 2;
-- Whose they are, and who is paged for them: an expression, so that no plan for another
-- query takes this index for its own.
CREATE INDEX incidents_owned ON incidents (owner_id) WHERE owner_id IS NOT NULL AND status <> 'resolved';
CREATE INDEX pages_user ON pages ((CASE WHEN state IN ('active', 'superseded') THEN user_id END), incident_number)
    WHERE CASE WHEN state IN ('active', 'superseded') THEN user_id END IS NOT NULL;

-- +goose Down
SELECT 'migrations are forward-only';
