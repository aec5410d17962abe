-- Up Migration

-- Objects that hold many blobs. The row of one that is being written is what holds off the sweep: without it, it never becomes the place
-- of a blob.
create table packs (
  id uuid primary key,
  state text not null default 'writing' check (state in ('writing', 'ready')),
  -- Of the object, and of the blobs that were written to it, in bytes.
  size bigint not null default 0,
  blob_bytes bigint not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  -- When it was last looked at how much of it is in use.
  checked_at timestamptz not null default clock_timestamp()
);
create index packs_by_check on packs (checked_at);
create index blobs_in_packs on blobs (key) where key like 'archive/%';

-- Bytes that are to go into a pack.
create table archive_queue (
  sha256 text collate "C" primary key,
  -- The pack that they are to leave, because most of it is dead; null where the retention policy has sent them.
  from_key text,
  queued_at timestamptz not null default clock_timestamp()
);
create index archive_queue_by_time on archive_queue (queued_at, sha256);
