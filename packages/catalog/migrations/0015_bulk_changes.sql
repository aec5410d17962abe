-- Up Migration

-- The same change of the user's fields to every script that a filter selected.
create table bulk_changes (
  id uuid primary key,
  state text not null default 'running' check (state in ('running', 'done', 'cancelled')),
  -- As it was asked for: the filter, the merge patch, the tags to add and to remove.
  request jsonb not null,
  selected integer not null,
  changed integer not null default 0,
  unchanged integer not null default 0,
  failed integer not null default 0,
  created_by text not null,
  created_at timestamptz not null default clock_timestamp(),
  cancelled_by text,
  finished_at timestamptz
);
create index bulk_changes_running on bulk_changes (id) where state = 'running';

-- What is still to be changed, as it was when the change began.
create table bulk_change_targets (
  change_id uuid not null references bulk_changes (id) on delete cascade,
  script_id uuid not null,
  revision integer not null,
  primary key (change_id, script_id)
);

create table bulk_change_failures (
  change_id uuid not null references bulk_changes (id) on delete cascade,
  script_id uuid not null,
  reason text not null check (reason in ('deleted', 'changed_meanwhile', 'invalid')),
  message text not null,
  primary key (change_id, script_id)
);
