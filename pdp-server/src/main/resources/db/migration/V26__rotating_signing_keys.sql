-- The operator rotates the keys that sign at once, and revokes those that have leaked.

alter table signing_keys
  -- The visible prefix of the key that had it made; nothing if servers made it by themselves.
  add column created_by text,
  -- From then on nothing that it has signed is good.
  add column revoked_at timestamptz,
  add column revoked_by text,
  -- What a revoked key signed with is gone.
  alter column private_jwk drop not null,
  add check ((revoked_at is null) = (revoked_by is null)),
  add check ((private_jwk is null) = (revoked_at is not null));

grant update (private_jwk, revoked_at, revoked_by) on signing_keys to ${app_role};
