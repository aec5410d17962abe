-- Up Migration

-- One row a watched directory. The lease keeps two processes from uploading out of the same one at once.
create table watch_directories (
  directory text collate "C" primary key,
  lease_token uuid,
  leased_until timestamptz,
  state text not null default 'starting' check (state in ('starting', 'following', 'polling', 'waiting', 'missing')),
  -- What keeps it from being followed, or from being followed by events.
  last_error text,
  last_scan_at timestamptz,
  -- Of the last scan that came to its end.
  files bigint not null default 0
);

-- What became of each file, so that it is read again only when it has changed.
create table watch_files (
  directory text collate "C" not null references watch_directories (directory) on delete cascade,
  path text collate "C" not null,
  size bigint not null,
  mtime_ns bigint not null,
  ino numeric(20) not null,
  -- Of the bytes that were read; null where none were.
  sha256 text,
  -- The script that it became; no foreign key, since scripts may go.
  script_id uuid,
  -- Namespace and name that the script has.
  namespace text collate "C",
  filename text collate "C",
  -- Why it was refused; null where it was stored.
  code text collate "C",
  detail text,
  seen_at timestamptz not null default now(),
  primary key (directory, path)
);
create index watch_files_refused on watch_files (directory, path) where code is not null;
create index watch_files_by_name on watch_files (namespace, filename) where code is null;
