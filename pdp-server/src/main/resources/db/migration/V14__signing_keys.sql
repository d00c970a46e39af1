-- The keys that sign what servers hand out and take back. All servers sign and verify with the same ones.

create table signing_keys (
  -- The key's thumbprint (RFC 7638), so that no two keys share it.
  kid           text        primary key,
  algorithm     text        not null check (algorithm = 'ES256'),
  -- JWKs in JSON.
  public_jwk    text        not null,
  private_jwk   text        not null,
  -- By the clock that all servers share: the newest key that may sign does.
  created_at    timestamptz not null default clock_timestamp(),
  sign_from     timestamptz not null,
  sign_until    timestamptz not null,
  -- Until then what it has signed can be verified.
  publish_until timestamptz not null,
  check (sign_from < sign_until and sign_until < publish_until)
);

insert into revisions (kind, revision) values ('signing', 0);

create trigger signing_keys_revision after insert or update or delete or truncate on signing_keys
  for each statement execute function count_revision('signing');

-- A key never changes: another one is made, and this one ends by itself.
grant select, insert, delete on signing_keys to ${app_role};
