-- Whose claim it is: a request that failed while the catalog was away gives back its own one later, and never that of
-- the retry that came after it.
alter table idempotency_keys add column holder uuid;
