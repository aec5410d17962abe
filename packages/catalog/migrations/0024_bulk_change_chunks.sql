-- Up Migration

-- What is still to be changed, as it was when the change began: up to 100 scripts a row, so that a change of millions begins in
-- seconds.
create table bulk_change_chunks (
  change_id uuid not null references bulk_changes (id) on delete cascade,
  number integer not null,
  script_ids uuid[] not null,
  revisions integer[] not null,
  primary key (change_id, number)
);
insert into bulk_change_chunks (change_id, number, script_ids, revisions)
  select change_id, n, array_agg(script_id order by script_id), array_agg(revision order by script_id)
  from (select change_id, script_id, revision,
      (row_number() over (partition by change_id order by script_id) - 1) / 100 as n
    from bulk_change_targets) t
  group by change_id, n;
drop table bulk_change_targets;

create index bulk_changes_finished on bulk_changes (finished_at) where finished_at is not null;
