-- Up Migration

-- What is deleted and can still be brought back: one row a script, or a version of one that is not. The day is set at the deletion,
-- so that what was promised then holds whatever the setting becomes.
create table trash (
  -- Of the script or of the version.
  id uuid primary key,
  script_id uuid not null references scripts (id),
  -- Null where the script is there as a whole.
  version integer,
  deleted_at timestamptz not null default now(),
  purge_at timestamptz not null,
  actor text not null,
  -- In the words of whoever deleted it.
  reason text,
  -- By which rule of which retention policy, where no person did it.
  rule text,
  policy_id integer,
  policy_version text,
  -- Versions that are purged already: with the first of them, the script cannot be brought back any more.
  purged integer not null default 0
);
create index trash_by_purge on trash (purge_at, id);
create index trash_by_deletion on trash (deleted_at, id);
create index trash_by_script on trash (script_id);

-- What was deleted before there was a day for it gets as long as what is deleted now.
insert into trash (id, script_id, deleted_at, purge_at, actor, rule, policy_id, policy_version)
  select s.id, s.id, s.deleted_at, now() + interval '30 days', coalesce(a.actor, 'unknown'), a.details->>'rule',
      (a.details->>'policy_id')::integer, a.details->>'policy_version'
    from scripts s
      left join lateral (select l.actor, l.details from audit_log l
        where l.script_id = s.id and l.action = 'script.deleted' order by l.id desc limit 1) a on true
    where s.deleted_at is not null;

alter table versions add column deleted_at timestamptz;

-- Foreign keys are looked up when a version is purged: without these, each time by reading all of the table.
drop index analyses_unfinished;
create index analyses_by_leader on analyses (leader);
drop index versions_waiting;
create index versions_by_original on versions (duplicate_of, state) where duplicate_of is not null;

-- Bytes that no version refers to, as far as was known when the last one went. Their object goes first, once that was looked at
-- again; copies when no export that is kept needs them any more.
create table unreferenced_blobs (
  sha256 text collate "C" primary key,
  -- When their object went.
  removed_at timestamptz,
  copies_due_at timestamptz
);
create index unreferenced_blobs_stored on unreferenced_blobs (sha256) where removed_at is null;
create index unreferenced_blobs_by_due on unreferenced_blobs (copies_due_at) where removed_at is not null;

-- Objects of purged versions alone, in the store of objects or of backups, that are still to be deleted.
create table purged_objects (
  store text collate "C" not null check (store in ('objects', 'backup')),
  key text collate "C" not null,
  primary key (store, key)
);
