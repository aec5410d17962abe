-- Up Migration

-- Bytes that are not kept any more although versions name them: they were long enough in quarantine.
create table expired_blobs (
  sha256 text collate "C" primary key,
  expired_at timestamptz not null default clock_timestamp()
);
create index blobs_in_quarantine on blobs (created_at, sha256) where state = 'stored' and key like 'quarantine/%';

-- As before, and leads bytes through the pipeline that were gone.
create or replace function settle_dedup(item jsonb) returns text language plpgsql as $$
declare
  this_version uuid := (item->>'version_id')::uuid;
  this_policy integer := (item->>'policy_id')::integer;
  blob blobs%rowtype;
  analysis analyses%rowtype;
  is_new boolean;
begin
  if hold_policy() <> this_policy then
    return 'policy_changed';
  end if;

  insert into blobs (sha256, size, key, length, encoding)
    values (item->>'sha256', (item->>'size')::integer, item->>'key', (item->>'length')::bigint,
      item->>'encoding')
    on conflict (sha256) do nothing;
  is_new := found;
  select * into strict blob from blobs b where b.sha256 = item->>'sha256' for update;
  -- The handler may have stored the bytes before they were deleted as an orphan's.
  if blob.state = 'deleting' or (blob.state = 'deleted' and blob.created_at >= (
      select s.started_at from stages s where s.version_id = this_version and s.stage = 'dedup')) then
    return 'blob_is_going';
  elsif blob.state = 'deleted' then
    update blobs b set state = 'stored', size = (item->>'size')::integer, key = item->>'key',
        length = (item->>'length')::bigint, encoding = item->>'encoding', created_at = now()
      where b.sha256 = blob.sha256;
    is_new := true;
  end if;
  if is_new then
    delete from expired_blobs e where e.sha256 = item->>'sha256';
  end if;

  insert into analyses (sha256, analyser_version, policy_version, leader)
    values (item->>'sha256', item->>'analyser_version', item->>'policy_version', this_version)
    on conflict do nothing;
  select * into strict analysis from analyses a
    where a.sha256 = item->>'sha256' and a.analyser_version = item->>'analyser_version'
      and a.policy_version = item->>'policy_version' for update;
  -- Bytes that are back although they were analysed need their place, be it in quarantine, and their backup anew.
  if analysis.state = 'failed' or (analysis.state = 'done' and is_new) then
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
