-- Up Migration

-- Blobs whose bytes are not what their hash says, and that no copy gave back; the row goes when the bytes are there again.
create table damaged_blobs (
  sha256 text collate "C" primary key,
  state text not null check (state in ('damaged', 'missing')),
  -- What was found, for a person.
  detail text not null,
  found_at timestamptz not null default clock_timestamp()
);

-- Passes of the scrub over all that is stored. One at a time is not finished, the newest.
create table scrub_passes (
  id bigint generated always as identity primary key,
  asked_by text not null,
  -- Repairs whatever it finds, though so much is missing that the wrong volume seems to be mounted.
  trusted boolean not null default false,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  -- Blobs that there were at its start.
  total bigint not null,
  checked bigint not null default 0,
  bytes bigint not null default 0,
  damaged bigint not null default 0,
  missing bigint not null default 0,
  repaired bigint not null default 0,
  unrepairable bigint not null default 0,
  -- Why it does not go on, until it does.
  halted text
);
