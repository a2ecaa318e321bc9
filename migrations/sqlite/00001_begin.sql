-- +goose Up

-- People and access ---------------------------------------------------------

CREATE TABLE users (
    id            integer PRIMARY KEY AUTOINCREMENT,
    email         text NOT NULL UNIQUE, -- lower case
    name          text NOT NULL,
    role          text NOT NULL, -- stakeholder, responder, manager, administrator
    timezone      text NOT NULL DEFAULT '',
    password_hash text NOT NULL DEFAULT '', -- argon2id; empty for nobody who signs in by password
    active        boolean NOT NULL DEFAULT true,
    session_epoch bigint NOT NULL DEFAULT 0, -- bumped to end every session
    created_at    timestamp NOT NULL
);

CREATE TABLE contact_methods (
    id              integer PRIMARY KEY AUTOINCREMENT,
    user_id         bigint NOT NULL REFERENCES users (id),
    slug            text NOT NULL, -- "sms", "mail": unique per person
    medium          text NOT NULL, -- sms, email, slack, voice
    address         text NOT NULL,
    verified_at     timestamp,
    disabled_at     timestamp, -- the person answered STOP
    replaces_id     bigint REFERENCES contact_methods (id), -- stays in use until this one is verified
    code_hash       blob, -- of the verification code that was sent last
    code_expires_at timestamp,
    code_tries      integer NOT NULL DEFAULT 0,
    created_at      timestamp NOT NULL,
    UNIQUE (user_id, slug)
);
CREATE INDEX contact_methods_address ON contact_methods (medium, address);

CREATE TABLE notification_rules (
    id                integer PRIMARY KEY AUTOINCREMENT,
    user_id           bigint NOT NULL REFERENCES users (id),
    urgency           text NOT NULL, -- high, low
    after_seconds     bigint NOT NULL,
    contact_method_id bigint NOT NULL REFERENCES contact_methods (id) ON DELETE CASCADE
);
CREATE INDEX notification_rules_user ON notification_rules (user_id);

CREATE TABLE sessions (
    token      text PRIMARY KEY,
    data       blob NOT NULL,
    expires_at timestamp NOT NULL
);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Links that work once: the first administrator's, an invitation, a new password.
CREATE TABLE one_time_links (
    id         integer PRIMARY KEY AUTOINCREMENT,
    purpose    text NOT NULL, -- setup, password
    hash       blob NOT NULL UNIQUE,
    user_id    bigint REFERENCES users (id),
    expires_at timestamp NOT NULL,
    used_at    timestamp,
    created_at timestamp NOT NULL
);

CREATE TABLE api_tokens (
    id           integer PRIMARY KEY AUTOINCREMENT,
    name         text NOT NULL UNIQUE,
    scope        text NOT NULL, -- a role, or read: what the token may do
    hash         blob NOT NULL UNIQUE,
    created_by   text NOT NULL,
    created_at   timestamp NOT NULL,
    last_used_at timestamp,
    revoked_at   timestamp
);

-- What was answered to a POST that carried an Idempotency-Key.
CREATE TABLE idempotency_keys (
    actor        text NOT NULL,
    key          text NOT NULL,
    request_hash blob NOT NULL,
    status       integer NOT NULL DEFAULT 0, -- 0 while the first request is at work
    body         blob,
    created_at   timestamp NOT NULL,
    PRIMARY KEY (actor, key)
);

-- Append-only: triggers below refuse anything else.
CREATE TABLE audit_log (
    id      integer PRIMARY KEY AUTOINCREMENT,
    at      timestamp NOT NULL,
    actor   text NOT NULL,
    action  text NOT NULL, -- "schedule.create"
    subject text NOT NULL, -- "schedule:payments"
    detail  text NOT NULL DEFAULT '{}' -- JSON, secrets masked
);
CREATE INDEX audit_log_subject ON audit_log (subject, id);

-- +goose StatementBegin
CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
-- +goose StatementEnd

-- The catalog ---------------------------------------------------------------

CREATE TABLE teams (
    id            integer PRIMARY KEY AUTOINCREMENT,
    slug          text NOT NULL UNIQUE,
    name          text NOT NULL,
    manager_id    bigint REFERENCES users (id),
    slack_channel text NOT NULL DEFAULT '',
    support_hours text
);

CREATE TABLE team_members (
    team_id bigint NOT NULL REFERENCES teams (id) ON DELETE CASCADE,
    user_id bigint NOT NULL REFERENCES users (id),
    PRIMARY KEY (team_id, user_id)
);

CREATE TABLE deployments (
    id     integer PRIMARY KEY AUTOINCREMENT,
    slug   text NOT NULL UNIQUE,
    name   text NOT NULL,
    region text NOT NULL DEFAULT '',
    kind   text NOT NULL DEFAULT 'production'
);

CREATE TABLE schedules (
    id      integer PRIMARY KEY AUTOINCREMENT,
    slug    text NOT NULL UNIQUE,
    name    text NOT NULL,
    team_id bigint REFERENCES teams (id)
);

-- Immutable: a change is a new row. The definition is JSON.
CREATE TABLE schedule_versions (
    id           integer PRIMARY KEY AUTOINCREMENT,
    schedule_id  bigint NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    effective_at timestamp NOT NULL,
    definition   text NOT NULL,
    created_at   timestamp NOT NULL,
    created_by   text NOT NULL
);
CREATE INDEX schedule_versions_schedule ON schedule_versions (schedule_id, effective_at, id);

CREATE TABLE overrides (
    id              integer PRIMARY KEY AUTOINCREMENT,
    schedule_id     bigint NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    from_at         timestamp NOT NULL,
    to_at           timestamp NOT NULL,
    position        text NOT NULL DEFAULT '', -- empty for all
    kind            text NOT NULL, -- replace, add, remove
    replace_user_id bigint REFERENCES users (id),
    with_user_id    bigint REFERENCES users (id),
    reason          text NOT NULL DEFAULT '',
    origin          text NOT NULL, -- config, or app: apply never undoes the app's
    created_at      timestamp NOT NULL,
    created_by      text NOT NULL,
    removed_at      timestamp
);
CREATE INDEX overrides_schedule ON overrides (schedule_id, id);

CREATE TABLE policies (
    id      integer PRIMARY KEY AUTOINCREMENT,
    slug    text NOT NULL UNIQUE,
    name    text NOT NULL,
    team_id bigint REFERENCES teams (id)
);

CREATE TABLE policy_versions (
    id           integer PRIMARY KEY AUTOINCREMENT,
    policy_id    bigint NOT NULL REFERENCES policies (id) ON DELETE CASCADE,
    effective_at timestamp NOT NULL,
    definition   text NOT NULL,
    created_at   timestamp NOT NULL,
    created_by   text NOT NULL
);
CREATE INDEX policy_versions_policy ON policy_versions (policy_id, effective_at, id);

CREATE TABLE services (
    id            integer PRIMARY KEY AUTOINCREMENT,
    slug          text NOT NULL UNIQUE,
    name          text NOT NULL,
    description   text NOT NULL DEFAULT '',
    parent_id     bigint REFERENCES services (id),
    team_id       bigint REFERENCES teams (id),
    policy_id     bigint REFERENCES policies (id),
    runbook       text NOT NULL DEFAULT '',
    dashboards    text NOT NULL DEFAULT '[]',
    reopen_window bigint NOT NULL DEFAULT 300
);

CREATE TABLE service_deployments (
    service_id    bigint NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    deployment_id bigint NOT NULL REFERENCES deployments (id),
    PRIMARY KEY (service_id, deployment_id)
);

CREATE TABLE slos (
    id              integer PRIMARY KEY AUTOINCREMENT,
    service_id      bigint NOT NULL REFERENCES services (id) ON DELETE CASCADE,
    slug            text NOT NULL,
    name            text NOT NULL,
    endpoint        text NOT NULL DEFAULT '',
    sli             text NOT NULL,
    objective       real NOT NULL,
    "window"        text NOT NULL,
    priority        integer,
    priority_reason text NOT NULL DEFAULT '',
    UNIQUE (service_id, slug)
);

CREATE TABLE priorities (
    level               integer PRIMARY KEY,
    name                text NOT NULL,
    hotfix              boolean NOT NULL DEFAULT false,
    postmortem          boolean NOT NULL DEFAULT false,
    notify_management   boolean NOT NULL DEFAULT false,
    notify_stakeholders boolean NOT NULL DEFAULT false,
    status_update_every bigint NOT NULL DEFAULT 0,
    ack_expires         bigint NOT NULL DEFAULT 0,
    criteria            text NOT NULL DEFAULT '{}'
);

CREATE TABLE organization (
    id                   bigint PRIMARY KEY CHECK (id = 1),
    name                 text NOT NULL,
    timezone             text NOT NULL,
    support_hours        text,
    catch_all_service_id bigint REFERENCES services (id),
    config_version       bigint NOT NULL DEFAULT 1
);
INSERT INTO organization (id, name, timezone) VALUES (1, '', 'UTC');
INSERT INTO priorities (level, name, hotfix, postmortem, notify_management, notify_stakeholders, status_update_every) VALUES
    (1, 'P1', true, true, true, true, 7200),
    (2, 'P2', false, false, true, true, 14400),
    (3, 'P3', false, false, false, true, 21600);

CREATE TABLE integrations (
    id         integer PRIMARY KEY AUTOINCREMENT,
    slug       text NOT NULL UNIQUE,
    name       text NOT NULL,
    kind       text NOT NULL,
    service_id bigint REFERENCES services (id),
    key_hmac   blob NOT NULL UNIQUE,
    key_sealed blob NOT NULL,
    rate_limit integer NOT NULL DEFAULT 0,
    created_at timestamp NOT NULL
);

CREATE TABLE rejected_signals (
    id             integer PRIMARY KEY AUTOINCREMENT,
    integration_id bigint NOT NULL REFERENCES integrations (id) ON DELETE CASCADE,
    received_at    timestamp NOT NULL,
    status         integer NOT NULL,
    reason         text NOT NULL,
    fields         text NOT NULL DEFAULT '[]',
    content_type   text NOT NULL,
    remote         text NOT NULL,
    body           blob NOT NULL,
    replayed_at    timestamp,
    replayed_by    text NOT NULL DEFAULT '',
    replay_result  text NOT NULL DEFAULT ''
);
CREATE INDEX rejected_signals_integration ON rejected_signals (integration_id, id);

-- Incidents -----------------------------------------------------------------
-- From here on rows are written by the thousand. They are only ever inserted
-- in the transaction of their parents and never deleted, so that foreign keys
-- among them would cost without protecting anything.

CREATE TABLE alerts (
    id              integer PRIMARY KEY AUTOINCREMENT,
    service_id      bigint NOT NULL,
    dedup_key       text NOT NULL,
    firing          boolean NOT NULL,
    started_at      timestamp NOT NULL,
    start_known     boolean NOT NULL, -- by the sender's word
    priority        integer, -- the most urgent since its incident began
    first_seen_at   timestamp NOT NULL,
    last_seen_at    timestamp NOT NULL,
    resolved_at     timestamp,
    occurrences     bigint NOT NULL,
    incident_number bigint NOT NULL,
    integration_id  bigint NOT NULL,
    snoozed_until   timestamp,
    body            blob NOT NULL,
    UNIQUE (service_id, dedup_key)
);
CREATE INDEX alerts_incident ON alerts (incident_number);

CREATE TABLE incidents (
    number          integer PRIMARY KEY AUTOINCREMENT,
    version         bigint NOT NULL,
    title           text NOT NULL,
    status          text NOT NULL,
    urgency         text NOT NULL,
    service_id      bigint NOT NULL,
    deployment      text NOT NULL,
    dedup_key       text NOT NULL,
    priority        integer,
    priority_source text NOT NULL,
    severity        text NOT NULL,
    occurrences     bigint NOT NULL,
    facts           text NOT NULL,
    created_at      timestamp NOT NULL,
    last_seen_at    timestamp NOT NULL,
    acknowledged_at timestamp,
    acknowledged_by text NOT NULL,
    owner_id        bigint,
    asked_at        timestamp,
    resolved_at     timestamp,
    resolved_by     text NOT NULL,
    resolution      text NOT NULL,
    reopened_at     text NOT NULL,
    flapping_since  timestamp,
    muted_until     timestamp,
    changed_at      timestamp NOT NULL
);
-- Lists go newest first by number; the open ones are few among many.
CREATE INDEX incidents_open ON incidents (number) WHERE status <> 'resolved';
CREATE INDEX incidents_service ON incidents (service_id, number);

CREATE TABLE timeline_events (
    id              integer PRIMARY KEY AUTOINCREMENT,
    incident_number bigint NOT NULL,
    at              timestamp NOT NULL,
    kind            text NOT NULL,
    actor           text NOT NULL,
    data            text NOT NULL
);
CREATE INDEX timeline_events_incident ON timeline_events (incident_number);

-- Escalation ----------------------------------------------------------------

CREATE TABLE escalations (
    id                integer PRIMARY KEY AUTOINCREMENT,
    incident_number   bigint NOT NULL,
    purpose           text NOT NULL, -- primary, role, responder
    subject           text NOT NULL, -- the role, or the person asked in
    policy_version_id bigint, -- null: straight to the administrators
    state             text NOT NULL, -- active, stopped
    phase             text NOT NULL, -- waiting, steps, fallback, administrators
    step              integer NOT NULL, -- counted from 0
    run               integer NOT NULL, -- counted from 0
    reached           boolean NOT NULL, -- somebody was paged in this run
    fired_at          timestamp,
    deadline_at       timestamp, -- when the step's timeout ends
    next_action_at    timestamp, -- null once ended
    started_at        timestamp NOT NULL,
    ended_at          timestamp
);
CREATE INDEX escalations_incident ON escalations (incident_number);
-- The engine's claim: what is due, oldest first.
CREATE INDEX escalations_due ON escalations (next_action_at) WHERE next_action_at IS NOT NULL;

CREATE TABLE timers (
    kind       text NOT NULL,
    subject    bigint NOT NULL,
    occurrence bigint NOT NULL,
    due_at     timestamp NOT NULL,
    PRIMARY KEY (kind, subject, occurrence)
);
CREATE INDEX timers_due ON timers (due_at);

-- Notification --------------------------------------------------------------

CREATE TABLE pages (
    id              integer PRIMARY KEY AUTOINCREMENT,
    incident_number bigint NOT NULL,
    escalation_id   bigint NOT NULL,
    user_id         bigint NOT NULL,
    step            integer NOT NULL, -- counted from 0
    run             integer NOT NULL, -- counted from 0
    urgency         text NOT NULL,
    priority        integer NOT NULL, -- the level, 9 for none
    shadow          boolean NOT NULL,
    digest          boolean NOT NULL, -- waited for the morning: gathers with its like
    why             text NOT NULL, -- JSON
    state           text NOT NULL, -- active, withdrawn, superseded, failed
    rule            integer NOT NULL, -- how many notifications were begun
    notify_at       timestamp, -- when the next personal rule is due
    created_at      timestamp NOT NULL,
    ended_at        timestamp
);
CREATE INDEX pages_incident ON pages (incident_number);
-- The planner's claim.
CREATE INDEX pages_due ON pages (notify_at) WHERE notify_at IS NOT NULL;
CREATE INDEX pages_user_active ON pages (user_id) WHERE state = 'active';

CREATE TABLE messages (
    id                integer PRIMARY KEY AUTOINCREMENT,
    kind              text NOT NULL, -- page, verify, reply, notice, channel
    user_id           bigint, -- null for a chat channel
    contact_method_id bigint,
    medium            text NOT NULL,
    address           text NOT NULL,
    incident_number   bigint, -- of a channel message
    body              text NOT NULL, -- of a reply, notice or verification
    urgency           text NOT NULL,
    priority          integer NOT NULL, -- of its most urgent page, 9 for none
    gathering         boolean NOT NULL, -- takes further pages until it is due
    state             text NOT NULL, -- queued, sending, sent, delivered, failed, withdrawn
    due_at            timestamp, -- null once nothing is to be done
    attempts          integer NOT NULL, -- of this message
    lease_owner       text,
    lease_until       timestamp,
    provider_id       text NOT NULL,
    failure           text NOT NULL,
    fallback_of       bigint, -- the message that failed before this one took over
    carried_by        bigint, -- the message to the same channel that tells of it
    created_at        timestamp NOT NULL,
    sent_at           timestamp
);
-- The outbox's claim, and the take-over of what a dead process held.
CREATE INDEX messages_due ON messages (due_at) WHERE state = 'queued';
CREATE INDEX messages_leased ON messages (lease_until) WHERE state = 'sending';
CREATE INDEX messages_user_recent ON messages (user_id, created_at);
CREATE INDEX messages_provider ON messages (provider_id) WHERE provider_id <> '';
CREATE INDEX messages_channel ON messages (address, created_at) WHERE kind = 'channel';
CREATE INDEX messages_channel_incident ON messages (incident_number) WHERE kind = 'channel';
CREATE INDEX messages_carried ON messages (carried_by) WHERE carried_by IS NOT NULL;
CREATE UNIQUE INDEX messages_channel_queued ON messages (incident_number, address) WHERE kind = 'channel' AND state = 'queued';

CREATE TABLE message_pages (
    message_id bigint NOT NULL,
    page_id    bigint NOT NULL,
    PRIMARY KEY (message_id, page_id)
);
CREATE INDEX message_pages_page ON message_pages (page_id);

CREATE TABLE attempts (
    id          integer PRIMARY KEY AUTOINCREMENT,
    message_id  bigint NOT NULL,
    number      integer NOT NULL, -- counted from 1 within the message
    state       text NOT NULL, -- sending, sent, delivered, failed
    again       boolean NOT NULL, -- may have been sent before
    again_next  boolean NOT NULL, -- the provider may have taken it all the same
    provider_id text NOT NULL,
    error       text NOT NULL,
    started_at  timestamp NOT NULL,
    finished_at timestamp,
    UNIQUE (message_id, number)
);

-- +goose Down
SELECT 'migrations are forward-only';
