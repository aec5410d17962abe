-- Up Migration

-- What the report asks approval of, as askedBy() of the contracts makes it:
-- [{kind, name, references, complete}]. Null until validation is done.
alter table analyses add column asked jsonb;

-- Of reports that were there before, only the very same bytes inherit.
update analyses a set asked = coalesce((
  select jsonb_agg(jsonb_build_object('kind', asks.kind, 'name', asks.name, 'references', '[]'::jsonb,
      'complete', false))
    from (
      select 'capability' as kind, c->>'capability' as name
        from json_array_elements(a.report->'capabilities') c where c->>'decision' = 'needs_approval'
      union
      select 'import', i->>'module'
        from json_array_elements(a.report->'imports') i where i->>'decision' = 'needs_approval'
    ) asks), '[]')
  where a.verdict = 'needs_approval' and a.report is not null;

-- A person's decision on things that one version asks for.
create table approvals (
  id uuid primary key,
  -- The later decision wins; decisions on one script are made one after the other.
  seq bigint generated always as identity unique,
  script_id uuid not null references scripts (id) on delete cascade,
  version integer not null,
  sha256 text collate "C" not null,
  -- The first version of the script that had these bytes.
  bytes_since integer not null,
  decision text not null check (decision in ('granted', 'refused')),
  reason text not null,
  actor text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  -- When the janitor has acted on the end date.
  expired_at timestamptz
);
create index approvals_by_script on approvals (script_id, seq desc);
create index approvals_ending on approvals (expires_at)
  where expires_at is not null and expired_at is null;

create index versions_by_bytes on versions (script_id, sha256, number);

-- What was decided on, as the version asked for it then.
create table approval_items (
  approval_id uuid not null references approvals (id) on delete cascade,
  seq bigint not null,
  script_id uuid not null,
  kind text not null check (kind in ('capability', 'import')),
  name text collate "C" not null,
  "references" jsonb not null,
  complete boolean not null,
  primary key (script_id, kind, name, seq)
);
create index approval_items_by_approval on approval_items (approval_id);

-- Outlives what it tells of: no foreign keys.
create table audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  action text not null,
  script_id uuid,
  version integer,
  sha256 text,
  details json not null default '{}'
);
create index audit_log_by_script on audit_log (script_id, id desc) where script_id is not null;
create index audit_log_by_action on audit_log (action, id desc);
create index audit_log_by_time on audit_log (at);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is only ever appended to', tg_table_name;
end $$;
create trigger audit_log_append_only before update or delete or truncate on audit_log
  for each statement execute function refuse_change();

-- Keeps the states of these scripts' versions and the decisions on them apart, until the transaction
-- ends: exclusive for whoever adds or ends a decision, shared for whoever gives states. Shared may be
-- taken with locks on unfinished versions held; final versions are locked after this, never before.
-- Scripts share 256 locks, since PostgreSQL has room for so many only.
create function lock_decisions(script_ids uuid[], exclusive boolean default false) returns void
language plpgsql as $$
declare
  bucket integer;
begin
  for bucket in select distinct hashtext(id::text) & 255 from unnest(script_ids) id order by 1 loop
    if exclusive then
      perform pg_advisory_xact_lock(1936487797, bucket);
    else
      perform pg_advisory_xact_lock_shared(1936487797, bucket);
    end if;
  end loop;
end $$;

-- Each thing that some bytes of a script ask for, with the decision that holds for it; null where it is
-- still to be decided. The latest decision counts that was made on these very bytes, or on bytes that
-- the script had before them for all the references that there are now. One whose end date is over
-- counts as none. The same bytes stand alike, whichever version of the script has them.
create function standing_of_asked(of_script uuid, of_sha256 text, asked jsonb)
returns table (kind text, name text, "references" jsonb, complete boolean, decision text, approval_id uuid)
language sql stable as $$
  with bytes as (
    select min(v.number) as since from versions v where v.script_id = of_script and v.sha256 = of_sha256)
  select item->>'kind', item->>'name', item->'references', (item->>'complete')::boolean,
      latest.decision, latest.id
    from bytes cross join jsonb_array_elements(asked) with ordinality as items (item, position)
    left join lateral (
      select case when p.expires_at <= now() then null else p.decision end as decision,
          case when p.expires_at <= now() then null else p.id end as id
        from approval_items i join approvals p on p.id = i.approval_id
        where i.script_id = of_script and i.kind = item->>'kind' and i.name = item->>'name'
          and (p.sha256 = of_sha256
            or (p.bytes_since < bytes.since and i.complete and (item->>'complete')::boolean
              and i."references" @> (item->'references')))
        order by i.seq desc limit 1
    ) latest on true
    order by position
$$;

-- The final state of a version: of its verdict, and where that is needs_approval of the decisions on
-- what it asks for.
create function version_state(of_script uuid, of_sha256 text, verdict text, asked jsonb)
returns text language sql stable as $$
  select case
    when verdict <> 'needs_approval' then state_of_verdict(verdict)
    else (select case
        when bool_or(s.decision = 'refused') then 'rejected'
        when bool_and(s.decision is not distinct from 'granted') then 'ready'
        else 'needs_approval' end
      from standing_of_asked(of_script, of_sha256, asked) s) end
$$;

-- Gives those of the versions that are final the state that their verdict and the decisions come to,
-- and returns which of them changed. Whoever sets a final state by the verdict calls it in the same
-- transaction; of a script without decisions the verdict's state stands.
create function decide_states(version_ids uuid[])
returns table (version_id uuid, script_id uuid, version integer, sha256 text, old_state text, new_state text)
language plpgsql as $$
begin
  perform lock_decisions(array(select v.script_id from versions v
    where v.id = any(version_ids) and v.verdict = 'needs_approval'));
  -- A statement of its own, which sees what was committed while the lock was waited for.
  return query
    with decided as (
      select v.id, v.state as before,
          version_state(v.script_id, v.sha256, v.verdict, a.asked) as after
        from versions v left join analyses a on a.sha256 = v.sha256
          and a.analyser_version = v.analyser_version and a.policy_version = v.policy_version
        where v.id = any(version_ids) and v.verdict = 'needs_approval'
          and v.state in ('ready', 'needs_approval', 'rejected')
          and exists (select from approvals p where p.script_id = v.script_id))
    update versions v set state = decided.after from decided
      -- Held against the row as it is once its lock is had: it may have started over meanwhile.
      where v.id = decided.id and v.state = decided.before and decided.before <> decided.after
      returning v.id, v.script_id, v.number, v.sha256, decided.before, decided.after;
end $$;
