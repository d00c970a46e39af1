-- Changes of what judges a tenant that another person has to confirm, whatever became of them.

create table proposals (
  id              uuid        primary key,
  -- Null for what judges every tenant.
  tenant          text        references tenants (id),
  kind            text        not null check (kind in ('setting', 'policy', 'pack')),
  -- The setting, row or pack that it changes.
  name            text        not null,
  -- What is to be done, as JSON.
  change          text        not null,
  -- The version that it changes, 0 for none.
  base_version    bigint      not null,
  -- What it would let through and what it would stop, as JSON.
  diff            text        not null,
  proposed_at     timestamptz not null,
  -- The visible prefix of a key.
  proposed_by     text        not null,
  -- Null for a service's key and for the operator's.
  proposed_person uuid,
  state           text        not null default 'proposed'
    check (state in ('proposed', 'confirmed', 'rejected', 'withdrawn', 'outdated')),
  decided_at      timestamptz,
  decided_by      text,
  decided_person  uuid,
  note            text,
  foreign key (tenant, proposed_person) references persons (tenant, id),
  foreign key (tenant, decided_person) references persons (tenant, id),
  check ((state = 'proposed') = (decided_at is null)),
  -- Of a tenant: another person than the one who proposed it.
  constraint proposals_second_person check (
    state <> 'confirmed' or tenant is null and decided_by <> proposed_by
      or decided_person is not null and decided_person is distinct from proposed_person)
);

create index proposals_of_plane on proposals (coalesce(tenant, ''), id);

alter table settings_history
  -- Null where one person was enough.
  add column proposal uuid references proposals (id);

grant select, insert, update (state, decided_at, decided_by, decided_person, note, diff) on proposals to ${app_role};
