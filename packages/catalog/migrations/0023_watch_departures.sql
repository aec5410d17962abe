-- Up Migration

alter table watch_files
  -- When the file was first found gone; null where it is there.
  add column gone_since timestamptz,
  -- Device of the file system on which it was last found; null where it was not looked for since.
  add column dev numeric(20);
create index watch_files_gone on watch_files (directory, path) where gone_since is not null;
-- Where a file that was renamed came from.
create index watch_files_by_ino on watch_files (directory, ino) where code is null;
