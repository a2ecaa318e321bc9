-- +goose Up
-- Which post of a chat channel shows an incident. Several incidents may share a post.
CREATE TABLE chat_posts (
    address         text NOT NULL, -- the channel's
    incident_number bigint NOT NULL,
    provider_id     text NOT NULL, -- the post's
    PRIMARY KEY (address, incident_number)
);
CREATE INDEX chat_posts_post ON chat_posts (address, provider_id);
INSERT INTO chat_posts (address, incident_number, provider_id)
    SELECT m.address, m.incident_number, m.provider_id FROM messages m
    WHERE m.id IN (SELECT max(id) FROM messages WHERE kind = 'channel' AND provider_id <> '' GROUP BY address, incident_number);
INSERT INTO chat_posts (address, incident_number, provider_id)
    SELECT m.address, m.incident_number, p.provider_id FROM messages m JOIN messages p ON p.id = m.carried_by
    WHERE m.id IN (SELECT max(c.id) FROM messages c JOIN messages q ON q.id = c.carried_by
        WHERE c.kind = 'channel' AND q.provider_id <> '' GROUP BY c.address, c.incident_number)
    ON CONFLICT DO NOTHING;

-- +goose Down
SELECT 'migrations are forward-only';
