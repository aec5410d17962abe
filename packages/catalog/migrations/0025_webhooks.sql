-- Up Migration

-- Whom events are sent to. The settings of the janitor say so and are written here when it starts; secrets are not.
create table webhook_endpoints (
  name text collate "C" primary key,
  -- A hash of the whole URL: one that has changed is a new receiver.
  url_hash text not null,
  -- Scheme, host and port: the rest of a URL may be a secret.
  origin text not null,
  severity text not null check (severity in ('info', 'warning', 'critical')),
  -- Patterns of LIKE; empty means every kind.
  kinds text[] not null,
  -- Attempts of any message that failed since one succeeded.
  failures integer not null default 0,
  failing_since timestamptz,
  last_error text,
  last_success_at timestamptz,
  -- No message is tried before.
  resume_at timestamptz not null default now(),
  -- It has answered that it is gone (410).
  disabled_at timestamptz,
  delivered bigint not null default 0,
  given_up bigint not null default 0
);

-- The outbox: what an endpoint is still to be told of. A row comes in the transaction of its event and goes once delivered.
create table webhook_messages (
  endpoint text collate "C" not null references webhook_endpoints (name) on delete cascade,
  event_id bigint not null references events (id) on delete cascade,
  message_id uuid not null default gen_random_uuid(),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  -- Whoever sends it at this moment, and until when it is theirs.
  lease_token uuid,
  leased_until timestamptz,
  primary key (endpoint, event_id)
);
create index webhook_messages_due on webhook_messages (endpoint, next_attempt_at);
create index webhook_messages_by_event on webhook_messages (event_id);

create function queue_webhook_messages() returns trigger language plpgsql as $$
begin
  insert into webhook_messages (endpoint, event_id)
    select name, new.id from webhook_endpoints
    where disabled_at is null
      and array_position(array['info', 'warning', 'critical'], new.severity)
        >= array_position(array['info', 'warning', 'critical'], severity)
      and (kinds = '{}' or new.kind like any (kinds));
  return null;
end $$;
create trigger events_to_webhooks after insert on events
  for each row execute function queue_webhook_messages();
