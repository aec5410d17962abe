-- Up Migration

-- Rows that are gone from tables that are exported, until the export that says so is written.
create table deleted_rows (
  table_name text collate "C" not null,
  -- The primary key's values, in its order, as text.
  key text[] not null,
  xid xid8 not null default pg_current_xact_id()
);
create index deleted_rows_by_table on deleted_rows (table_name, key);

-- Of the newest export that was written to the end: one row at most. Whatever else the backup store has is not gone on from.
create table export_state (
  only_row boolean primary key default true check (only_row),
  export_id text not null,
  exported_at timestamptz not null default clock_timestamp()
);

-- Bytes that were copied to the backup store before the backup stage had them, or that never get there.
create table early_copies (
  sha256 text collate "C" primary key,
  key text not null,
  copied_at timestamptz not null default now()
);
create index blobs_without_backup on blobs (sha256) where backup_key is null and state = 'stored';

-- The trigger's arguments are the columns of the primary key.
create function record_deletions() returns trigger language plpgsql as $$
begin
  execute format('insert into deleted_rows (table_name, key) select %L, array[%s] from gone', tg_table_name,
    (select string_agg(format('%I::text', name), ', ') from unnest(tg_argv) name));
  return null;
end $$;
