-- What judges a tenant is read when it is first needed, and again when it has changed: a number for each tenant, which is
-- the revision of the kind `policies` at its last change. Changes of all tenants follow one another, so a higher number is
-- never seen before a lower one.

delete from revisions where kind = 'settings';
insert into revisions (kind, revision) values ('policies', 0);

create table policy_revisions (
  -- The empty text for what judges every tenant.
  tenant   text   primary key,
  revision bigint not null
);

create index policy_revisions_in_order on policy_revisions (revision);

-- For triggers with a transition table `changed` that has a column `tenant`, null in the operator's rows.
create function count_policies() returns trigger
language plpgsql security definer
as $$
declare
  number bigint;
begin
  update revisions set revision = revision + 1 where kind = 'policies' returning revision into number;
  insert into policy_revisions (tenant, revision)
    select distinct coalesce(tenant, ''), number from changed order by 1
    on conflict (tenant) do update set revision = excluded.revision;
  perform pg_notify('countersign', 'policies');
  return null;
end
$$;

create function count_all_policies() returns trigger
language plpgsql security definer
as $$
declare
  number bigint;
begin
  update revisions set revision = revision + 1 where kind = 'policies' returning revision into number;
  insert into policy_revisions (tenant, revision) values ('', number)
    on conflict (tenant) do update set revision = excluded.revision;
  perform pg_notify('countersign', 'policies');
  return null;
end
$$;

-- The search path of the functions is the schema that this migration runs in, whatever the caller's is.
do $$
begin
  execute format('alter function count_policies() set search_path = %I, pg_temp', current_schema());
  execute format('alter function count_all_policies() set search_path = %I, pg_temp', current_schema());
end
$$;

revoke all on function count_policies(), count_all_policies() from public;

drop trigger settings_revision on settings;
create trigger settings_inserted after insert on settings
  referencing new table as changed for each statement execute function count_policies();
create trigger settings_updated after update on settings
  referencing new table as changed for each statement execute function count_policies();
create trigger settings_deleted after delete on settings
  referencing old table as changed for each statement execute function count_policies();
create trigger settings_truncated after truncate on settings
  for each statement execute function count_all_policies();

grant select on policy_revisions to ${app_role};
