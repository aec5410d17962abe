-- Up Migration

-- What is searched: one row for the bytes of one hash, whoever uploaded them. All of it can be made again from the blobs.
create table search_documents (
  -- Grows; what was indexed last is found first.
  document integer generated always as identity primary key,
  sha256 text collate "C" not null unique,
  -- Bytes of the source.
  size integer not null,
  -- Whose findings the names are of; null where there are none.
  analyser_version text,
  -- The text and the names in it, compressed.
  packed bytea not null,
  -- See packages/search/src/keys.ts; the first is that of the document's segment.
  keys smallint[] not null,
  indexed_at timestamptz not null default now()
) with (toast_tuple_target = 128);
alter table search_documents alter column packed set storage external;
alter table search_documents alter column keys set storage external;
-- A search reads what waits to be merged from beginning to end.
create index search_documents_by_keys on search_documents using gin (keys) with (gin_pending_list_limit = 512);

-- The newest version of each script that is indexed, and its document. No reference to scripts: a lock on those rows would make
-- uploads wait. What is deleted is left out when it is looked for.
create table search_scripts (
  script_id uuid primary key,
  version integer not null,
  document integer not null references search_documents (document),
  -- Of name and namespace, and of the document's segment.
  keys smallint[] not null
);
create index search_scripts_by_document on search_scripts (document, script_id);
create index search_scripts_by_keys on search_scripts using gin (keys) with (gin_pending_list_limit = 512);

-- The outbox: versions that wait to be indexed.
create table search_queue (
  version_id uuid primary key,
  queued_at timestamptz not null default now(),
  available_at timestamptz not null default now(),
  attempts integer not null default 0,
  lease_token uuid,
  error text
);
create index search_queue_due on search_queue (available_at);

create function queue_for_search() returns trigger language plpgsql as $$
begin
  insert into search_queue (version_id) values (new.id)
    on conflict (version_id) do update set queued_at = now(), available_at = now(), attempts = 0,
      lease_token = null, error = null;
  return null;
end $$;
create trigger versions_to_search after update of state on versions for each row
  when (old.state in ('queued', 'processing') and new.state not in ('queued', 'processing'))
  execute function queue_for_search();
