-- What tenants say of the users, agents and things that requests name.

create table entities (
  tenant     text        not null references tenants (id),
  type       text        collate "C" not null check (length(type) between 1 and 200),
  id         text        collate "C" not null check (length(id) between 1 and 200),
  -- JSON as text: what is written is what is read, and jsonb could not hold every text.
  attributes text        not null,
  roles      text[]      not null,
  groups     text[]      not null,
  owner      text,
  delegates  text[]      not null,
  -- The revision of the change that made it so: it grows, and no entity is given one twice.
  version    bigint      not null,
  updated_at timestamptz not null,
  -- The visible prefix of the key.
  updated_by text        not null,
  primary key (tenant, type, id)
);

-- Which entities a revision changed, for servers that hold some in memory. A change of many counts as one of all that the
-- tenant has (type and id are null), one by TRUNCATE as one of all that there are.
create table entity_changes (
  revision bigint not null,
  tenant   text,
  type     text   collate "C",
  id       text   collate "C"
);

create index entity_changes_by_revision on entity_changes (revision);

insert into revisions (kind, revision) values ('entities', 0);

-- Takes the next revision before a change. The row is locked until the change is committed, so changes follow one another,
-- and whoever sees a revision sees every change up to it.
create function begin_entity_change() returns trigger
language plpgsql security definer
as $$
declare
  next bigint;
begin
  update revisions set revision = revision + 1 where kind = 'entities' returning revision into next;
  perform set_config('countersign.entity_revision', next::text, true);
  return null;
end
$$;

create function date_entity() returns trigger
language plpgsql
as $$
begin
  if tg_op = 'UPDATE' and (new.tenant, new.type, new.id) is distinct from (old.tenant, old.type, old.id) then
    raise exception 'an entity keeps its name: delete it, and insert another';
  end if;
  new.version := current_setting('countersign.entity_revision')::bigint;
  return new;
end
$$;

-- Records what was changed and tells all servers when it is committed.
create function end_entity_change() returns trigger
language plpgsql security definer
as $$
declare
  this bigint := current_setting('countersign.entity_revision')::bigint;
begin
  if tg_op = 'TRUNCATE' then
    insert into entity_changes (revision) values (this);
  elsif (select count(*) from (select 1 from changed limit 101) few) <= 100 then
    insert into entity_changes (revision, tenant, type, id) select this, tenant, type, id from changed;
  else
    insert into entity_changes (revision, tenant) select distinct this, tenant from changed;
  end if;
  delete from entity_changes where revision <= this - 10000;
  perform pg_notify('countersign', 'entities');
  return null;
end
$$;

-- The search path of the functions is the schema that this migration runs in, whatever the caller's is.
do $$
begin
  execute format('alter function begin_entity_change() set search_path = %I, pg_temp', current_schema());
  execute format('alter function end_entity_change() set search_path = %I, pg_temp', current_schema());
end
$$;

revoke all on function begin_entity_change() from public;
revoke all on function end_entity_change() from public;

create trigger entities_begin before insert or update or delete or truncate on entities
  for each statement execute function begin_entity_change();
create trigger entities_date before insert or update on entities
  for each row execute function date_entity();
create trigger entities_inserted after insert on entities
  referencing new table as changed for each statement execute function end_entity_change();
create trigger entities_updated after update on entities
  referencing new table as changed for each statement execute function end_entity_change();
create trigger entities_deleted after delete on entities
  referencing old table as changed for each statement execute function end_entity_change();
create trigger entities_truncated after truncate on entities
  for each statement execute function end_entity_change();

grant select, insert, delete on entities to ${app_role};
grant update (attributes, roles, groups, owner, delegates, updated_at, updated_by) on entities to ${app_role};
grant select on entity_changes to ${app_role};
