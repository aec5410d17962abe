-- Up Migration

-- How much room each store has, as whoever sees it says. All processes take one state from another, so that
-- each change is told once.
create table storage_states (
  store text collate "C" primary key,
  state text not null default 'ok' check (state in ('ok', 'low', 'full')),
  since timestamptz not null default now(),
  checked_at timestamptz not null default now(),
  -- What was seen last: sizes, thresholds, errors.
  seen json not null
);
