-- Up Migration

-- One logical file in a namespace. User-owned fields live here; what the analysis found lives in analyses.
create table scripts (
  id uuid primary key,
  namespace text collate "C" not null,
  filename text collate "C" not null,
  latest_version integer not null,
  created_at timestamptz not null default now(),
  deleted_at timestamptz,
  title text,
  description text,
  tags text[] not null default '{}',
  labels jsonb not null default '{}',
  owner text,
  pinned boolean not null default false,
  revision integer not null default 1
);
create unique index scripts_name on scripts (namespace, filename) where deleted_at is null;

-- One immutable upload of a script.
create table versions (
  id uuid primary key,
  script_id uuid not null references scripts (id),
  number integer not null check (number > 0),
  sha256 text collate "C" not null check (sha256 ~ '^[0-9a-f]{64}$'),
  size integer not null check (size >= 0),
  original_filename text not null,
  raw_key text,
  state text not null default 'queued'
    check (state in ('queued', 'processing', 'ready', 'needs_approval', 'rejected', 'failed')),
  verdict text check (verdict in ('allowed', 'needs_approval', 'refused', 'invalid')),
  analyser_version text,
  policy_version text,
  -- The version whose analysis this one waits for or has reused.
  duplicate_of uuid references versions (id),
  batch_id uuid,
  request_id text not null,
  restored_from integer,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  manifest_key text,
  unique (script_id, number)
);
create index versions_by_time on versions (created_at, id);
create index versions_by_state on versions (state, created_at, id);
create index versions_by_batch on versions (batch_id) where batch_id is not null;
create index versions_by_raw_key on versions (raw_key) where raw_key is not null;
create index versions_waiting on versions (duplicate_of)
  where duplicate_of is not null and state = 'processing';
create index versions_without_manifest on versions (finished_at)
  where manifest_key is null and state in ('ready', 'needs_approval', 'rejected')
    and verdict <> 'invalid';

-- Where the bytes of one hash are. A row in state 'deleting' is a claim: the object is about to go. One in
-- state 'deleted' says since when it is gone: whoever looked before that must store the bytes anew.
create table blobs (
  sha256 text collate "C" primary key,
  size integer not null,
  state text not null default 'stored' check (state in ('stored', 'deleting', 'deleted')),
  key text not null,
  "offset" bigint not null default 0,
  length bigint not null,
  encoding text not null check (encoding in ('identity', 'zstd', 'gzip')),
  backup_key text,
  backed_up_at timestamptz,
  created_at timestamptz not null default now()
);

-- What one analyser says of some bytes under one policy. The leader is the version whose stages do the work.
create table analyses (
  sha256 text collate "C" not null,
  analyser_version text not null,
  policy_version text not null,
  leader uuid not null references versions (id),
  state text not null default 'running' check (state in ('running', 'done', 'failed')),
  verdict text,
  -- json, not jsonb: docstrings may hold NUL and lone surrogates, which only json keeps.
  report json,
  metadata json,
  primary key (sha256, analyser_version, policy_version)
);
create index analyses_unfinished on analyses (leader) where state <> 'done';

-- The outbox: a pending row without a live lease is what must be enqueued.
create table stages (
  version_id uuid not null references versions (id),
  stage text not null,
  state text not null default 'pending'
    check (state in ('pending', 'running', 'done', 'skipped', 'failed')),
  -- How often a worker has begun, how often it threw, and how often it died alone with this script.
  attempts integer not null default 0,
  failures integer not null default 0,
  deaths integer not null default 0,
  available_at timestamptz not null default now(),
  enqueued_at timestamptz not null default now(),
  lease_token uuid,
  leased_alone boolean,
  leased_until timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  error json,
  primary key (version_id, stage)
) with (fillfactor = 70);
create index stages_open on stages (stage, enqueued_at) where state in ('pending', 'running');

-- draft-ietf-httpapi-idempotency-key-header: the first answer to a key, replayed to the same request.
create table idempotency_keys (
  key text collate "C" primary key,
  fingerprint text not null,
  claimed_until timestamptz,
  response jsonb,
  created_at timestamptz not null default now()
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- Records one upload and what it makes pending. The caller has put the object already, under a key made
-- of the script id and version number that it expects; where they are somebody else's by now the
-- answer is 'moved' and nothing is written.
create function register_upload(item jsonb) returns jsonb language plpgsql as $$
declare
  wanted_id uuid := (item->>'script_id')::uuid;
  wanted_number integer := (item->>'version')::integer;
  on_conflict text := item->>'on_conflict';
  current_namespace text := item->>'namespace';
  current_name text := item->>'filename';
  copy_number integer := 1;
  script scripts%rowtype;
  latest versions%rowtype;
  new_version_id uuid := (item->>'version_id')::uuid;
  new_created_at timestamptz;
  answer jsonb;
begin
  loop
    select * into script from scripts s
      where s.namespace = current_namespace and s.filename = current_name and s.deleted_at is null
      for update;
    if not found then
      if wanted_number <> 1 then
        return jsonb_build_object('kind', 'moved', 'script_id', null, 'next_version', 1);
      end if;
      insert into scripts (id, namespace, filename, latest_version)
        values (wanted_id, current_namespace, current_name, 1)
        on conflict (namespace, filename) where deleted_at is null do nothing;
      exit when found;
      continue; -- somebody else took the name since the select
    end if;

    select * into strict latest from versions v
      where v.script_id = script.id and v.number = script.latest_version;
    if latest.sha256 = item->>'sha256' then
      answer := jsonb_build_object('kind', 'unchanged', 'version_id', latest.id, 'script_id', script.id,
        'version', latest.number, 'filename', script.filename, 'state', latest.state,
        'sha256', latest.sha256, 'size', latest.size, 'created_at', latest.created_at,
        'raw_key', latest.raw_key);
      exit;
    end if;
    if on_conflict = 'reject' then
      return jsonb_build_object('kind', 'name_taken', 'script_id', script.id,
        'version', script.latest_version);
    end if;
    if on_conflict = 'keep_both' then
      copy_number := copy_number + 1;
      current_name := regexp_replace(item->>'filename', '(\.[A-Za-z]+)?$',
        ' (' || copy_number || ')\1');
      continue;
    end if;
    if script.id <> wanted_id or script.latest_version + 1 <> wanted_number then
      return jsonb_build_object('kind', 'moved', 'script_id', script.id,
        'next_version', script.latest_version + 1);
    end if;
    update scripts set latest_version = wanted_number where id = script.id;
    exit;
  end loop;

  if answer is null then
    insert into versions (id, script_id, number, sha256, size, original_filename, raw_key, batch_id,
        request_id, restored_from)
      values (new_version_id, wanted_id, wanted_number, item->>'sha256', (item->>'size')::integer,
        item->>'original_filename', item->>'raw_key', (item->>'batch_id')::uuid,
        item->>'request_id', (item->>'restored_from')::integer)
      returning created_at into new_created_at;
    insert into stages (version_id, stage) values (new_version_id, item->>'first_stage');
    answer := jsonb_build_object('kind', 'created', 'version_id', new_version_id,
      'script_id', wanted_id, 'version', wanted_number, 'filename', current_name,
      'state', 'queued', 'sha256', item->>'sha256', 'size', (item->>'size')::integer,
      'created_at', new_created_at, 'raw_key', item->>'raw_key');
  end if;

  if item ? 'idempotency_key' then
    insert into idempotency_keys (key, fingerprint, response)
      values (item->>'idempotency_key', item->>'fingerprint', answer)
      on conflict (key) do update set response = excluded.response, claimed_until = null
        where idempotency_keys.fingerprint = excluded.fingerprint;
  end if;
  return answer;
end $$;

-- The upshot of one version's dedup: link it to its blob, then lead the analysis of those bytes, wait
-- for whoever leads it, or reuse what is there. Callers settle in order of sha256, so that no two wait
-- for each other.
create function settle_dedup(item jsonb) returns text language plpgsql as $$
declare
  this_version uuid := (item->>'version_id')::uuid;
  blob blobs%rowtype;
  analysis analyses%rowtype;
begin
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

-- Kept equal to finalState() of the pipeline map by a test.
create function state_of_verdict(verdict text) returns text language sql immutable as $$
  select case verdict when 'allowed' then 'ready' when 'needs_approval' then 'needs_approval'
    else 'rejected' end
$$;
