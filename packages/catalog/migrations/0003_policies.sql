-- Up Migration

-- Every policy that was put in force, in that order; the last one is. Only what is said of its progress is ever updated.
create table policies (
  id integer generated always as identity primary key,
  name text not null,
  -- Of the whole document; what it comes to in a namespace has a version of its own.
  version text collate "C" not null,
  -- As it was written, in YAML or JSON.
  source text not null,
  activated_by text not null,
  activated_at timestamptz not null default clock_timestamp(),
  -- How many versions were judged by it since, and how many of them changed state.
  judged integer not null default 0,
  changed integer not null default 0,
  -- Since when nothing stored stands by an older one.
  applied_at timestamptz
);
create index policies_by_version on policies (version);

-- What policies come to in namespaces: what analyses are made by.
create table effective_policies (
  version text collate "C" primary key,
  policy json not null
);

-- What one analyser knows of some bytes, for any policy to judge.
create table script_facts (
  sha256 text collate "C" not null,
  analyser_version text not null,
  -- json, not jsonb: see analyses.
  facts json not null,
  -- The finding for which the script could not be described; it counts with the facts.
  refusal json,
  primary key (sha256, analyser_version)
);

-- The policy that a version stands by; 0 for what was there before policies were kept.
alter table versions add column policy_id integer not null default 0;
create index versions_by_policy on versions (policy_id, id)
  where state in ('ready', 'needs_approval', 'rejected');
create index versions_under_way on versions (policy_id)
  where state = 'processing' and policy_version is not null;

-- The policy in force, which stays so until the transaction ends: whoever makes a version stand by a policy asks here, so that
-- when another one is in force, nothing comes to stand by an older one any more.
create function hold_policy() returns integer language plpgsql as $$
declare
  in_force integer;
begin
  perform pg_advisory_xact_lock_shared(1936487798);
  -- A statement of its own, which sees what was committed while the lock was waited for.
  select coalesce(max(id), 0) into in_force from policies;
  return in_force;
end $$;

-- As before, and holds what the version was settled for against the policy in force.
create or replace function settle_dedup(item jsonb) returns text language plpgsql as $$
declare
  this_version uuid := (item->>'version_id')::uuid;
  this_policy integer := (item->>'policy_id')::integer;
  blob blobs%rowtype;
  analysis analyses%rowtype;
begin
  if hold_policy() <> this_policy then
    return 'policy_changed';
  end if;

  insert into blobs (sha256, size, key, length, encoding)
    values (item->>'sha256', (item->>'size')::integer, item->>'key', (item->>'length')::bigint,
      item->>'encoding')
    on conflict (sha256) do nothing;
  select * into strict blob from blobs b where b.sha256 = item->>'sha256' for update;
  -- The handler may have stored the bytes before they were deleted as an orphan's.
  if blob.state = 'deleting' or (blob.state = 'deleted' and blob.created_at >= (
      select s.started_at from stages s where s.version_id = this_version and s.stage = 'dedup')) then
    return 'blob_is_going';
  elsif blob.state = 'deleted' then
    update blobs b set state = 'stored', size = (item->>'size')::integer, key = item->>'key',
        length = (item->>'length')::bigint, encoding = item->>'encoding', created_at = now()
      where b.sha256 = blob.sha256;
  end if;

  insert into analyses (sha256, analyser_version, policy_version, leader)
    values (item->>'sha256', item->>'analyser_version', item->>'policy_version', this_version)
    on conflict do nothing;
  select * into strict analysis from analyses a
    where a.sha256 = item->>'sha256' and a.analyser_version = item->>'analyser_version'
      and a.policy_version = item->>'policy_version' for update;
  if analysis.state = 'failed' then
    update analyses a set leader = this_version, state = 'running'
      where a.sha256 = analysis.sha256 and a.analyser_version = analysis.analyser_version
        and a.policy_version = analysis.policy_version;
    analysis.leader := this_version;
    analysis.state := 'running';
  end if;

  update versions v set
      raw_key = null,
      analyser_version = analysis.analyser_version,
      policy_version = analysis.policy_version,
      policy_id = this_policy,
      duplicate_of = case when analysis.leader <> this_version then analysis.leader end,
      state = case when analysis.state = 'done' then state_of_verdict(analysis.verdict)
                   else 'processing' end,
      verdict = case when analysis.state = 'done' then analysis.verdict end,
      finished_at = case when analysis.state = 'done' then now() end
    where v.id = this_version;
  if analysis.state = 'done' then
    return 'reused';
  elsif analysis.leader = this_version then
    return 'leads';
  end if;
  return 'waits';
end $$;
