-- +goose Up
-- The settings of the providers that were made in the browser. Those of the
-- environment come first and are not here.
CREATE TABLE provider_settings (
    provider   text PRIMARY KEY, -- smtp, twilio, slack
    sealed     blob NOT NULL, -- JSON, by the name of the field
    updated_by text NOT NULL,
    updated_at timestamp NOT NULL
);
-- Raised by every change of provider_settings: each process reads them again.
ALTER TABLE organization ADD COLUMN providers_version bigint NOT NULL DEFAULT 0;

CREATE TABLE invitations (
    id         integer PRIMARY KEY AUTOINCREMENT,
    hash       blob NOT NULL UNIQUE, -- of the token in the link
    email      text NOT NULL, -- where it was sent to, lower case; empty for a link that was copied
    role       text NOT NULL,
    team_id    bigint REFERENCES teams (id) ON DELETE SET NULL,
    created_by text NOT NULL,
    created_at timestamp NOT NULL,
    expires_at timestamp NOT NULL,
    used_at    timestamp,
    user_id    bigint REFERENCES users (id), -- who used it
    revoked_at timestamp
);

-- +goose Down
SELECT 'migrations are forward-only';
