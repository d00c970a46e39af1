-- What was there at one time, signed.

create table checkpoints (
  number bigint      primary key check (number > 0),
  at     timestamptz not null,
  kid    text        not null,
  -- The JWS in compact serialization. It names the SHA-256 of the one before.
  jws    text        not null
);

-- How far each segment was named, so that the next checkpoint names what has grown since.
create table checkpoint_ends (
  segment uuid   not null,
  seq     bigint not null,
  number  bigint not null references checkpoints (number),
  primary key (segment, seq)
);

-- The public parts of the keys that signed: they are needed for longer than their keys are published.
create table checkpoint_keys (
  kid text primary key,
  jwk text not null
);

grant select, insert on checkpoints, checkpoint_ends, checkpoint_keys to ${app_role};
