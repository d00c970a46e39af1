-- Policies that are data (seeds 000 and 001): rows beside the rules of packs.

create table policies (
  id               uuid        primary key,
  -- Null for a row of the operator, which judges every tenant.
  tenant           text        references tenants (id),
  -- Whose row it is, where its scope is an agent or a user.
  owner            text        check (length(owner) between 1 and 256),
  name             text        not null check (length(name) between 1 and 120),
  description      text,
  scope            text        not null
    check (scope in ('global', 'tenant', 'app', 'tool', 'workflow', 'agent', 'user')),
  scope_ref        text        check (length(scope_ref) between 1 and 256),
  effect           text        not null check (effect in ('allow', 'deny', 'require_approval', 'modify')),
  action_pattern   text        not null check (length(action_pattern) between 1 and 256),
  resource_pattern text        check (length(resource_pattern) between 1 and 256),
  -- An object with the members `when` and `then`, both optional.
  rule_expr        jsonb,
  risk             text        check (risk in ('low', 'medium', 'high', 'critical')),
  reason           text,
  enabled          boolean     not null,
  version          bigint      not null check (version > 0),
  created_at       timestamptz not null,
  -- The visible prefix of a key; null for a copy of the tenant's default set.
  created_by       text,
  updated_at       timestamptz not null,
  updated_by       text,
  constraint policies_global_is_the_operators check (tenant is null or scope <> 'global'),
  constraint policies_referring check ((scope in ('global', 'tenant')) = (scope_ref is null))
);

create index policies_of_plane on policies (coalesce(tenant, ''), id);
create index policies_of_action on policies (coalesce(tenant, ''), action_pattern);

-- Every change of a row; it outlives the row.
create table policies_history (
  id         uuid        not null,
  version    bigint      not null,
  tenant     text        references tenants (id),
  -- The row as it was from then on, as JSON; null where it was deleted.
  row        text,
  changed_at timestamptz not null,
  changed_by text,
  -- Null where one person was enough.
  proposal   uuid        references proposals (id),
  primary key (id, version)
);

-- The users to whom a copy of the tenant's default set was given, once.
create table policy_users (
  tenant       text        not null references tenants (id),
  user_id      text        not null,
  installed_at timestamptz not null,
  primary key (tenant, user_id)
);

create trigger policies_inserted after insert on policies
  referencing new table as changed for each statement execute function count_policies();
create trigger policies_updated after update on policies
  referencing new table as changed for each statement execute function count_policies();
create trigger policies_deleted after delete on policies
  referencing old table as changed for each statement execute function count_policies();
create trigger policies_truncated after truncate on policies
  for each statement execute function count_all_policies();
create trigger policy_users_inserted after insert on policy_users
  referencing new table as changed for each statement execute function count_policies();

grant select, insert, delete,
  update (owner, name, description, scope, scope_ref, effect, action_pattern, resource_pattern, rule_expr, risk, reason,
          enabled, version, updated_at, updated_by) on policies to ${app_role};
grant select, insert on policies_history to ${app_role};
grant select, insert on policy_users to ${app_role};
