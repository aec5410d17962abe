-- Up Migration

-- What operators are to know of: it happened, whoever caused it. Outlives what it tells of: no foreign keys.
create table events (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  severity text not null check (severity in ('info', 'warning', 'critical')),
  kind text collate "C" not null,
  message text not null,
  script_id uuid,
  sha256 text,
  details json not null default '{}'
);
create index events_by_kind on events (kind, id desc);
create index events_by_script on events (script_id, id desc) where script_id is not null;
create index events_by_time on events (at);

-- What of a script was asked for last, and how often; written in batches, so that reading stays cheap.
create table script_use (
  script_id uuid primary key references scripts (id) on delete cascade,
  last_used_at timestamptz not null,
  downloads bigint not null default 0,
  metadata_reads bigint not null default 0
) with (fillfactor = 80);

-- One row a task that the janitor runs on a schedule. The lease keeps two janitors from running the same
-- one at once; the cursor says where the next step goes on.
create table maintenance_tasks (
  name text collate "C" primary key,
  lease_token uuid,
  leased_until timestamptz,
  cursor jsonb,
  last_started_at timestamptz,
  last_finished_at timestamptz,
  -- Of the last run that failed since one succeeded.
  last_error text,
  failures integer not null default 0
);
