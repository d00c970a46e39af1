-- Who reviews in whose place, and ways to find who belongs to whom.

create table delegations (
  tenant      text        not null references tenants (id),
  id          uuid        not null,
  -- In whose place.
  from_person uuid        not null,
  -- Who reviews.
  to_person   uuid        not null,
  valid_from  timestamptz not null,
  -- From then on it is not in force.
  valid_until timestamptz not null,
  -- A pattern of the names of actions, in which * stands for any characters; null for all.
  scope       text        check (length(scope) between 1 and 200),
  created_at  timestamptz not null,
  -- The visible prefix of a key.
  created_by  text        not null,
  revoked_at  timestamptz,
  revoked_by  text,
  primary key (tenant, id),
  foreign key (tenant, from_person) references persons (tenant, id),
  foreign key (tenant, to_person) references persons (tenant, id),
  constraint delegations_to_another check (from_person <> to_person),
  constraint delegations_last check (valid_until > valid_from),
  check ((revoked_at is null) = (revoked_by is null))
);

create index delegations_from on delegations (tenant, from_person);
create index delegations_to on delegations (tenant, to_person);

grant select, insert, update (revoked_at, revoked_by) on delegations to ${app_role};

-- Names that people would read as one are one, as they are for persons.
create function folded_name(name text) returns text
language sql immutable strict parallel safe
return regexp_replace(
  btrim(casefold(upper(normalize(name, nfkc) collate pg_catalog.pg_unicode_fast))), ' +', ' ', 'g');

create function folded_names(names text[]) returns text[]
language sql immutable strict parallel safe
return (select coalesce(array_agg(folded_name(n)), '{}'::text[]) from unnest(names) as n);

-- Most entities have neither, and are in none of these.
create index entities_related on entities (tenant, folded_name(id)) where owner is not null or delegates <> '{}';
create index entities_by_delegate on entities using gin (folded_names(delegates)) where delegates <> '{}';
create index users_by_group on entities using gin (groups) where type = 'user' and groups <> '{}';
