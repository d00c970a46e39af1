-- Tenants and keys are managed while the server runs.

alter table tenants
  -- While this is set, none of the tenant's keys is good.
  add column suspended_at timestamptz,
  add column suspended_by text;

alter table api_keys
  -- Null for the keys of a first start.
  add column created_by text,
  -- How long it was made to be good for, whatever has shortened that since; null for ever.
  add column life_seconds bigint,
  -- From then on the key is not good; null for never.
  add column expires_at timestamptz,
  add column revoked_by text,
  -- The key in whose place this one came.
  add column replaces text references api_keys (id),
  add constraint api_keys_services_never_approve check (
    person_id is not null or not roles && array['approvals.approve', 'approvals.break_glass']);

create index api_keys_replaced on api_keys (replaces);
-- The keys of one plane by id; the operator's have no tenant.
create index api_keys_of_plane on api_keys (coalesce(tenant, ''), id);

-- One human is one person, however a key's maker spells the name: what is compared is folded by the server.
alter table persons add column folded text;
update persons set folded = lower(name);
alter table persons alter column folded set not null;
create unique index persons_by_name on persons (tenant, folded);

create trigger tenants_revision after update or delete or truncate on tenants
  for each statement execute function count_revision('keys');

grant update (suspended_at, suspended_by) on tenants to ${app_role};
grant update (expires_at, revoked_by) on api_keys to ${app_role};
