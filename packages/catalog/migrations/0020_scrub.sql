-- Up Migration

-- What of the stores a pass looks at now, and after which of it: it moves on only from there, so that nothing is counted twice.
alter table scrub_passes
  add column part text not null default 'blobs',
  add column after text collate "C" not null default '',
  -- Descriptions and manifests that were read.
  add column documents bigint not null default 0,
  -- What lies in the stores and is none of their objects.
  add column unknown bigint not null default 0,
  -- For how long janitors have worked on it, in milliseconds.
  add column worked_ms bigint not null default 0;

-- What somebody else has put into a store, as the last pass that was there has found it: told once.
create table unknown_objects (
  store text not null check (store in ('objects', 'backup')),
  -- SHA-256 of the name, which may be longer than an index takes.
  name_hash text collate "C" not null,
  name text not null,
  what text not null,
  size bigint,
  found_at timestamptz not null default clock_timestamp(),
  pass bigint not null,
  primary key (store, name_hash)
);
