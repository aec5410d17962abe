-- Up Migration

-- Each change of the user's fields of a script, by the revision that it made.
create table metadata_changes (
  script_id uuid not null references scripts (id) on delete cascade,
  revision integer not null,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  -- The bulk change that it was a part of.
  change_id uuid,
  -- [{field, from, to}], where a field is a JSON Pointer.
  changes jsonb not null,
  primary key (script_id, revision)
);

-- What most scripts do not have costs their uploads nothing.
create index scripts_by_tag on scripts using gin (tags) where deleted_at is null and tags <> '{}';
create index scripts_by_label on scripts using gin (labels jsonb_path_ops)
  where deleted_at is null and labels <> '{}';
create index scripts_by_owner on scripts (owner, id) where deleted_at is null and owner is not null;
create index scripts_pinned on scripts (id) where deleted_at is null and pinned;
