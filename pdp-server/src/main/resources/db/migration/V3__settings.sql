-- The values that tenants give to the parameters and lists of packs, and word of every change to what servers hold in
-- memory.

-- `value` is JSON as text: what is written is what is read, and jsonb could not hold every text.
create table settings (
  tenant     text        not null references tenants (id),
  name       text        not null check (length(name) >= 1),
  value      text        not null,
  version    bigint      not null check (version > 0),
  updated_at timestamptz not null,
  -- The visible prefix of the key.
  updated_by text        not null,
  primary key (tenant, name)
);

-- Every change of a setting; it outlives the setting, so that a version is never given twice.
create table settings_history (
  tenant     text        not null references tenants (id),
  name       text        not null,
  version    bigint      not null,
  -- Null where the tenant had no value of its own before.
  old_value  text,
  -- Null where it has none since.
  new_value  text,
  changed_at timestamptz not null,
  changed_by text        not null,
  primary key (tenant, name, version)
);

-- How often each kind of what servers hold in memory was changed. Whoever has seen the same number holds the same rows.
create table revisions (
  kind     text   primary key,
  revision bigint not null
);

insert into revisions (kind, revision) values ('keys', 0), ('settings', 0);

-- Counts a change and tells all servers when it is committed. It runs with its owner's rights, so that no server can count
-- without changing anything.
create function count_revision() returns trigger
language plpgsql security definer
as $$
begin
  update revisions set revision = revision + 1 where kind = tg_argv[0];
  perform pg_notify('countersign', tg_argv[0]);
  return null;
end
$$;

-- The search path of the function is the schema that this migration runs in, whatever the caller's is.
do $$
begin
  execute format('alter function count_revision() set search_path = %I, pg_temp', current_schema());
end
$$;

revoke all on function count_revision() from public;

create trigger settings_revision after insert or update or delete or truncate on settings
  for each statement execute function count_revision('settings');
create trigger api_keys_revision after insert or update or delete or truncate on api_keys
  for each statement execute function count_revision('keys');

grant select, insert, update (value, version, updated_at, updated_by), delete on settings to ${app_role};
grant select, insert on settings_history to ${app_role};
grant select on revisions to ${app_role};
