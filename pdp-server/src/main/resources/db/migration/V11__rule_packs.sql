-- Rule packs that are published while the server runs.

-- A published version, which nobody changes.
create table rule_packs (
  -- Null for a pack of the operator, which judges every tenant.
  tenant         text        references tenants (id),
  name           text        not null check (length(name) between 1 and 100),
  version        bigint      not null check (version > 0),
  -- The version that its pack.yaml names.
  declared       text        not null,
  -- Over what judges: the manifest, the rules and the entities.
  digest         text        not null check (digest ~ '^[0-9a-f]{64}$'),
  -- The files as they were uploaded: a JSON object of texts by name.
  files          text        not null,
  -- What its scenarios came to, and what it changed, both when it was published, as JSON.
  report         text        not null,
  diff           text        not null,
  created_at     timestamptz not null,
  -- The visible prefix of a key.
  created_by     text        not null,
  -- Null for a service's key and for the operator's.
  created_person uuid,
  foreign key (tenant, created_person) references persons (tenant, id)
);

create unique index rule_packs_of_plane on rule_packs (coalesce(tenant, ''), name, version);

-- Which versions judge: one answers, one is only watched; null for none.
create table rule_packs_in_force (
  tenant     text        references tenants (id),
  name       text        not null,
  -- Grows with every change.
  change     bigint      not null check (change > 0),
  active     bigint,
  shadow     bigint,
  changed_at timestamptz not null,
  changed_by text        not null
);

create unique index rule_packs_in_force_of_plane on rule_packs_in_force (coalesce(tenant, ''), name);

-- Every change of it.
create table rule_packs_history (
  tenant         text        references tenants (id),
  name           text        not null,
  change         bigint      not null,
  active         bigint,
  shadow         bigint,
  changed_at     timestamptz not null,
  changed_by     text        not null,
  changed_person uuid,
  -- Null where one person was enough.
  proposal       uuid        references proposals (id)
);

create unique index rule_packs_history_of_plane on rule_packs_history (coalesce(tenant, ''), name, change);

create trigger rule_packs_in_force_inserted after insert on rule_packs_in_force
  referencing new table as changed for each statement execute function count_policies();
create trigger rule_packs_in_force_updated after update on rule_packs_in_force
  referencing new table as changed for each statement execute function count_policies();
create trigger rule_packs_in_force_deleted after delete on rule_packs_in_force
  referencing old table as changed for each statement execute function count_policies();
create trigger rule_packs_in_force_truncated after truncate on rule_packs_in_force
  for each statement execute function count_all_policies();

grant select, insert on rule_packs to ${app_role};
grant select, insert, update (change, active, shadow, changed_at, changed_by) on rule_packs_in_force to ${app_role};
grant select, insert on rule_packs_history to ${app_role};

-- How often a shadow said what of what was answered how.
create table rule_packs_shadow (
  tenant   text   not null references tenants (id),
  name     text   not null,
  version  bigint not null,
  answered text   not null,
  said     text   not null,
  count    bigint not null,
  primary key (tenant, name, version, answered, said)
);

-- Some of the decisions in which it said something else.
create table rule_packs_shadow_examples (
  tenant   text        not null references tenants (id),
  name     text        not null,
  version  bigint      not null,
  answered text        not null,
  said     text        not null,
  decision uuid        not null,
  at       timestamptz not null
);

create index rule_packs_shadow_examples_of on rule_packs_shadow_examples (tenant, name, version, answered, said);

grant select, insert, update (count) on rule_packs_shadow to ${app_role};
grant select, insert on rule_packs_shadow_examples to ${app_role};
