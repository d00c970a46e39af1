-- What a tenant says of the actions that requests name: its registry.

create table actions (
  tenant           text        not null references tenants (id),
  name             text        collate "C" not null check (length(name) between 1 and 256),
  class            text        not null check (class in ('tool_call', 'data_access', 'action', 'egress')),
  reversible       boolean     not null,
  risk             text        not null check (risk in ('low', 'medium', 'high', 'critical')),
  owner            text,
  description      text,
  -- JSON as text: what is written is what is read.
  arguments_schema text,
  -- JSON Pointers or names of arguments that an approval does not bind.
  advisory         text[]      not null,
  -- Members of the context that an approval does not bind.
  volatile_context text[]      not null,
  version          bigint      not null check (version > 0),
  created_at       timestamptz not null,
  -- The visible prefix of a key.
  created_by       text        not null,
  updated_at       timestamptz not null,
  updated_by       text        not null,
  primary key (tenant, name)
);

-- Every change of an entry; it outlives the entry, so that a version is never given twice.
create table actions_history (
  tenant     text        not null references tenants (id),
  name       text        collate "C" not null,
  version    bigint      not null,
  -- The entry as it was from then on, as JSON; null where it was taken away.
  entry      text,
  changed_at timestamptz not null,
  changed_by text        not null,
  -- Null where one person was enough.
  proposal   uuid        references proposals (id),
  primary key (tenant, name, version)
);

create trigger actions_inserted after insert on actions
  referencing new table as changed for each statement execute function count_policies();
create trigger actions_updated after update on actions
  referencing new table as changed for each statement execute function count_policies();
create trigger actions_deleted after delete on actions
  referencing old table as changed for each statement execute function count_policies();
create trigger actions_truncated after truncate on actions
  for each statement execute function count_all_policies();

alter table proposals
  drop constraint proposals_kind_check,
  add constraint proposals_kind_check check (kind in ('setting', 'policy', 'pack', 'action'));

grant select, insert, delete,
  update (class, reversible, risk, owner, description, arguments_schema, advisory, volatile_context, version, updated_at,
          updated_by) on actions to ${app_role};
grant select, insert on actions_history to ${app_role};
