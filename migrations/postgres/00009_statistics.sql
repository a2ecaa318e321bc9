-- +goose Up

-- A plan by the statistics of a handful of rows reads an index from end to end
-- rather than look a row up, and stays in use while the table grows. Without
-- statistics PostgreSQL takes a small table for one of ten pages, and looks up. So
-- tables that grow are left alone until they have.
ALTER TABLE alerts SET (autovacuum_vacuum_threshold = 1000, autovacuum_analyze_threshold = 1000);
ALTER TABLE incidents SET (autovacuum_vacuum_threshold = 1000, autovacuum_analyze_threshold = 1000);
ALTER TABLE timeline_events SET (autovacuum_vacuum_threshold = 1000, autovacuum_analyze_threshold = 1000);
ALTER TABLE escalations SET (autovacuum_vacuum_threshold = 1000, autovacuum_analyze_threshold = 1000);
ALTER TABLE pages SET (autovacuum_vacuum_threshold = 1000, autovacuum_analyze_threshold = 1000);
ALTER TABLE messages SET (autovacuum_vacuum_threshold = 1000, autovacuum_analyze_threshold = 1000);
ALTER TABLE message_pages SET (autovacuum_vacuum_threshold = 1000, autovacuum_analyze_threshold = 1000);
ALTER TABLE attempts SET (autovacuum_vacuum_threshold = 1000, autovacuum_analyze_threshold = 1000);

-- +goose Down
SELECT 'migrations are forward-only';
