-- Up Migration

alter table versions drop constraint versions_verdict_check;
alter table versions add constraint versions_verdict_check
  check (verdict in ('allowed', 'needs_approval', 'refused', 'malicious', 'invalid'));

drop index versions_without_manifest;
create index versions_without_manifest on versions (finished_at)
  where manifest_key is null and state in ('ready', 'needs_approval', 'rejected')
    and verdict not in ('invalid', 'malicious');
