-- Who else may call: whoever shows a token of an issuer that a tenant has registered.

create table issuers (
  id          uuid        primary key,
  tenant      text        not null references tenants (id),
  -- What stands in `iss` and `aud` of its tokens.
  issuer      text        not null check (length(issuer) between 1 and 200),
  audience    text        not null check (length(audience) between 1 and 200),
  jwks_uri    text        not null check (length(jwks_uri) between 1 and 200),
  algorithms  text[]      not null,
  -- The claim that names the caller's roles there; a JSON pointer if it begins with a slash.
  roles_claim text        not null check (length(roles_claim) between 1 and 200),
  -- JSON: for values of that claim, our roles.
  role_map    text        not null,
  created_at  timestamptz not null,
  created_by  text        not null,
  -- While this is set, none of its tokens is good.
  disabled_at timestamptz,
  disabled_by text,
  -- Of all tenants: a token tells its tenant by these two alone.
  constraint issuers_of_one_tenant unique (issuer, audience),
  -- What issuer_subjects refers to, so that both are of one tenant.
  unique (tenant, id),
  constraint issuers_asymmetric check (
    cardinality(algorithms) > 0
    and algorithms <@ array['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']),
  check ((disabled_at is null) = (disabled_by is null))
);

-- The persons behind subjects of tokens. A subject that does not stand here is a service, which never approves.
create table issuer_subjects (
  tenant     text        not null,
  issuer     uuid        not null,
  sub        text        not null check (length(sub) between 1 and 200),
  person_id  uuid        not null,
  -- Whether the person may review with such a token.
  approves   boolean     not null,
  -- The last part of the caller's id while the subject is this person, and if it were a service.
  as_person  text        not null,
  as_service text        not null,
  updated_at timestamptz not null,
  updated_by text        not null,
  primary key (issuer, sub),
  foreign key (tenant, issuer) references issuers (tenant, id) on delete cascade,
  constraint issuer_subjects_person_of_tenant foreign key (tenant, person_id) references persons (tenant, id)
);

create index issuer_subjects_of_person on issuer_subjects (tenant, person_id);
create index issuer_subjects_as_person on issuer_subjects (issuer, as_person);
create index issuer_subjects_as_service on issuer_subjects (issuer, as_service);

insert into revisions (kind, revision) values ('issuers', 0);

create trigger issuers_revision after insert or update or delete or truncate on issuers
  for each statement execute function count_revision('issuers');
create trigger issuer_subjects_revision after insert or update or delete or truncate on issuer_subjects
  for each statement execute function count_revision('issuers');
-- A suspended tenant's tokens are as good as its keys.
create trigger tenants_issuers_revision after update or delete or truncate on tenants
  for each statement execute function count_revision('issuers');

grant select, insert, delete, update (jwks_uri, algorithms, roles_claim, role_map, disabled_at, disabled_by)
  on issuers to ${app_role};
grant select, insert, delete, update (person_id, approves, as_person, updated_at, updated_by)
  on issuer_subjects to ${app_role};
