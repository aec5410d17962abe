-- Up Migration

-- Every retention policy that was put in force, in that order; the last one is.
create table retention_policies (
  id integer generated always as identity primary key,
  name text not null,
  version text collate "C" not null,
  -- As it was written, in YAML or JSON.
  source text not null,
  activated_by text not null,
  activated_at timestamptz not null default clock_timestamp()
);

-- Scripts that nothing and nobody may delete. Without "on delete cascade": a script that is held cannot be purged.
create table legal_holds (
  script_id uuid primary key references scripts (id),
  reason text not null,
  actor text not null,
  placed_at timestamptz not null default clock_timestamp()
);

-- How far the rounds over all scripts have come, beside the cursor of their task. One row at most.
create table retention_state (
  only_row boolean primary key default true check (only_row),
  -- The database's clock when a step was last taken: one that jumps is noticed.
  seen_at timestamptz,
  -- Why nothing is removed until somebody confirms it: {id, at, reason, message, removals, of}.
  pause jsonb,
  -- What somebody has confirmed: {pause_id, at, actor, removals}. Holds for the next round that removes something.
  confirmation jsonb,
  -- What the last round that was over has done: {started_at, finished_at, policy_id, …}.
  last_round jsonb
);

-- Which versions have some bytes: what is freed only with the last of them.
create index versions_by_sha256 on versions (sha256);
