-- Up Migration

-- Sums that statistics are answered from, whatever the tables that they are taken of have grown to. Each is there four times: of one
-- namespace and day, of one namespace, of one day, and of everything; '' is every namespace and -infinity every day.
create table statistics (
  kind text collate "C" not null,
  namespace text collate "C" not null,
  -- In UTC.
  day date not null,
  name text collate "C" not null,
  detail text collate "C" not null,
  count bigint not null,
  amount bigint not null,
  other bigint not null,
  primary key (kind, namespace, day, name, detail)
) with (fillfactor = 80);
create index statistics_namespaces on statistics (namespace) where kind = 'scripts' and day = '-infinity';

-- What is to be added to them. Written in the transaction that makes it true and added a little later, so that no two uploads wait for
-- one row. Without a namespace where there is none.
create table statistic_changes (
  id bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  kind text not null,
  namespace text,
  day date not null,
  name text not null default '',
  detail text not null default '',
  count bigint not null,
  amount bigint not null default 0,
  other bigint not null default 0
) with (
  -- Rows come and go all the time, and whoever looks for the oldest passes all that are gone and not cleared away.
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000);

-- On which day a script was used how often.
create table script_use_days (
  script_id uuid not null references scripts (id) on delete cascade,
  day date not null,
  downloads bigint not null,
  metadata_reads bigint not null,
  primary key (script_id, day)
) with (fillfactor = 80);
create index script_use_days_by_day on script_use_days (day);

create function day_of(at timestamptz) returns date language sql stable as $$ select (at at time zone 'UTC')::date $$;

-- 'scripts' by name 'live' or 'deleted', of the day they were made.
create function count_scripts() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    insert into statistic_changes (kind, namespace, day, name, count)
      values ('scripts', old.namespace, day_of(old.created_at),
        case when old.deleted_at is null then 'live' else 'deleted' end, -1);
  end if;
  if tg_op <> 'DELETE' then
    insert into statistic_changes (kind, namespace, day, name, count)
      values ('scripts', new.namespace, day_of(new.created_at),
        case when new.deleted_at is null then 'live' else 'deleted' end, 1);
  end if;
  return null;
end $$;
create trigger scripts_counted after insert or delete on scripts for each row execute function count_scripts();
-- Every upload of a new version updates its script: only what moves it to the trash or back is counted.
create trigger scripts_moved after update on scripts for each row
  when ((old.deleted_at is null) <> (new.deleted_at is null)) execute function count_scripts();

-- 'versions' by state and verdict, of the day they were uploaded; amount is bytes, other is bytes that wait for dedup.
create function counted_version(v versions, sign integer,
  out script_id uuid, out day date, out name text, out detail text, out count integer, out amount bigint, out other bigint)
  language sql stable as $$
  select v.script_id, day_of(v.created_at), v.state,
    case when v.state in ('ready', 'needs_approval', 'rejected', 'failed') then coalesce(v.verdict, '') else '' end,
    sign, sign * v.size::bigint, case when v.raw_key is null then 0 else sign * v.size::bigint end
$$;
-- A row at a time: an upload inserts one, and what tells a statement's rows apart costs it more than counting them does.
create function count_new_version() returns trigger language plpgsql as $$
declare
  this_namespace text := (select namespace from scripts where id = new.script_id);
  this_day date := day_of(new.created_at);
  waiting bigint := case when new.raw_key is null then 0 else new.size end;
begin
  insert into statistic_changes (kind, namespace, day, name, detail, count, amount, other) values
    ('versions', this_namespace, this_day, new.state, (counted_version(new, 1)).detail, 1, new.size, waiting),
    -- 'uploads', of which none is ever taken away. What is restored was not uploaded again.
    ('uploads', this_namespace, this_day, '', '', case when new.restored_from is null then 1 else 0 end,
      case when new.restored_from is null then new.size else 0 end, 0);
  return null;
end $$;
create trigger versions_counted_in after insert on versions for each row execute function count_new_version();
create function count_versions() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    insert into statistic_changes (kind, namespace, day, name, detail, count, amount, other)
      select 'versions', s.namespace, c.day, c.name, c.detail, sum(c.count), sum(c.amount), sum(c.other)
      from old_rows v cross join lateral counted_version(v, -1) c join scripts s on s.id = c.script_id group by 2, 3, 4, 5;
  else
    insert into statistic_changes (kind, namespace, day, name, detail, count, amount, other)
      select 'versions', s.namespace, c.day, c.name, c.detail, sum(c.count), sum(c.amount), sum(c.other)
      from (
        select c.* from new_rows v cross join lateral counted_version(v, 1) c
        union all select c.* from old_rows v cross join lateral counted_version(v, -1) c) c
        join scripts s on s.id = c.script_id
      group by 2, 3, 4, 5 having sum(c.count) <> 0 or sum(c.amount) <> 0 or sum(c.other) <> 0;
  end if;
  return null;
end $$;
create trigger versions_counted after update on versions
  referencing old table as old_rows new table as new_rows for each statement execute function count_versions();
create trigger versions_counted_out after delete on versions
  referencing old table as old_rows for each statement execute function count_versions();

-- 'blobs' that are stored, of the day they came; amount is the bytes that they stand for, other the bytes that they take.
create function count_new_blob() returns trigger language plpgsql as $$
begin
  insert into statistic_changes (kind, day, count, amount, other)
    values ('blobs', day_of(new.created_at), 1, new.size, new.length);
  return null;
end $$;
create trigger blobs_counted_in after insert on blobs for each row when (new.state = 'stored')
  execute function count_new_blob();
create function count_blobs() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    insert into statistic_changes (kind, day, count, amount, other)
      select 'blobs', day_of(created_at), -count(*), -sum(size), -sum(length) from old_rows where state = 'stored' group by 2;
  else
    insert into statistic_changes (kind, day, count, amount, other)
      select 'blobs', day_of(created_at), sum(sign), sum(sign * size), sum(sign * length)
      from (select *, 1 as sign from new_rows union all select *, -1 from old_rows) b where state = 'stored'
      group by 2 having sum(sign) <> 0 or sum(sign * size) <> 0 or sum(sign * length) <> 0;
  end if;
  return null;
end $$;
create trigger blobs_counted after update on blobs
  referencing old table as old_rows new table as new_rows for each statement execute function count_blobs();
create trigger blobs_counted_out after delete on blobs
  referencing old table as old_rows for each statement execute function count_blobs();

-- A time as statistics have it: the n of the smallest 2^(n/4) microseconds that are no less. Four to the octave tell a percentile to
-- within a fifth.
create function time_bucket(microseconds bigint) returns text language sql immutable as $$
  select case when microseconds <= 1 then 0 else ceil(4 * log(2, microseconds))::integer end::text
$$;
create function microseconds(length interval) returns bigint language sql immutable as $$
  select greatest(0, extract(epoch from length) * 1000000)::bigint
$$;

-- 'work' and 'wait' by stage and time: how many, and amount in microseconds, of the day they ended.
-- 'failures' by stage and error: count is tries that failed, other is versions that were given up.
create function count_stages() returns trigger language plpgsql as $$
begin
  insert into statistic_changes (kind, day, name, detail, count, amount)
    select t.kind, day_of(n.finished_at), n.stage, time_bucket(t.took), count(*), sum(t.took)
    from new_rows n join old_rows o using (version_id, stage) cross join lateral (values
      ('work', microseconds(n.finished_at - n.started_at)),
      ('wait', microseconds(n.started_at - greatest(n.enqueued_at, n.available_at)))) t (kind, took)
    where n.state = 'done' and o.state <> 'done' and n.started_at is not null and n.finished_at is not null
    group by 1, 2, 3, 4;
  insert into statistic_changes (kind, namespace, day, name, detail, count, other)
    select 'failures', s.namespace, day_of(now()), n.stage, coalesce(n.error->>'code', ''), sum(n.failures - o.failures),
      count(*) filter (where n.state = 'failed' and o.state <> 'failed')
    from new_rows n join old_rows o using (version_id, stage)
      join versions v on v.id = n.version_id join scripts s on s.id = v.script_id
    where n.failures > o.failures or (n.state = 'failed' and o.state <> 'failed')
    group by 2, 3, 4, 5;
  return null;
end $$;
create trigger stages_counted after update on stages
  referencing old table as old_rows new table as new_rows for each statement execute function count_stages();

-- Those of duplicates, which fail with whoever they waited for.
create function count_failed_duplicate() returns trigger language plpgsql as $$
begin
  insert into statistic_changes (kind, namespace, day, name, detail, count, other)
    select 'failures', s.namespace, day_of(now()), new.stage, coalesce(new.error->>'code', ''), 0, 1
    from versions v join scripts s on s.id = v.script_id where v.id = new.version_id;
  return null;
end $$;
create trigger stages_counted_in after insert on stages for each row when (new.state = 'failed')
  execute function count_failed_duplicate();

-- Counts everything again, from the tables themselves: for what was there before, and for a restore, which has the triggers off.
-- Of tries and times it has what the rows still tell.
create function recount_statistics() returns void language plpgsql as $$
begin
  delete from statistics;
  delete from statistic_changes;
  insert into statistic_changes (kind, namespace, day, name, count)
    select 'scripts', namespace, day_of(created_at), case when deleted_at is null then 'live' else 'deleted' end, count(*)
    from scripts group by 2, 3, 4;
  insert into statistic_changes (kind, namespace, day, name, detail, count, amount, other)
    select 'versions', s.namespace, c.day, c.name, c.detail, sum(c.count), sum(c.amount), sum(c.other)
    from versions v cross join lateral counted_version(v, 1) c join scripts s on s.id = c.script_id group by 2, 3, 4, 5;
  insert into statistic_changes (kind, namespace, day, count, amount)
    select 'uploads', s.namespace, day_of(v.created_at), count(*), sum(v.size)
    from versions v join scripts s on s.id = v.script_id where v.restored_from is null group by 2, 3;
  insert into statistic_changes (kind, day, count, amount, other)
    select 'blobs', day_of(created_at), count(*), sum(size), sum(length) from blobs where state = 'stored' group by 2;
  insert into statistic_changes (kind, day, name, detail, count, amount)
    select t.kind, day_of(n.finished_at), n.stage, time_bucket(t.took), count(*), sum(t.took)
    from stages n cross join lateral (values
      ('work', microseconds(n.finished_at - n.started_at)),
      ('wait', microseconds(n.started_at - greatest(n.enqueued_at, n.available_at)))) t (kind, took)
    where n.state = 'done' and n.started_at is not null and n.finished_at is not null group by 1, 2, 3, 4;
  insert into statistic_changes (kind, namespace, day, name, detail, count, other)
    select 'failures', s.namespace, day_of(coalesce(n.finished_at, n.enqueued_at)), n.stage, coalesce(n.error->>'code', ''),
      sum(case when v.duplicate_of is null then n.failures else 0 end), count(*) filter (where n.state = 'failed')
    from stages n join versions v on v.id = n.version_id join scripts s on s.id = v.script_id
    where n.failures > 0 or n.state = 'failed' group by 2, 3, 4, 5;
  insert into statistic_changes (kind, namespace, day, count, amount)
    select 'use', s.namespace, u.day, sum(u.downloads), sum(u.metadata_reads)
    from script_use_days u join scripts s on s.id = u.script_id group by 2, 3;
end $$;

-- What was used before there were days is of the day on which it was used last.
insert into script_use_days (script_id, day, downloads, metadata_reads)
  select script_id, day_of(last_used_at), downloads, metadata_reads from script_use where downloads + metadata_reads > 0;
select recount_statistics();
