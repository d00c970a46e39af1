-- Who is told of a tenant's events by HTTP, and what became of each telling.

create table webhooks (
  tenant           text        not null references tenants (id),
  id               uuid        not null,
  url              text        not null check (length(url) between 1 and 2000),
  format           text        not null check (format in ('standard', 'slack')),
  -- The types of events: a type, `prefix.*`, or `*` for all.
  event_types      text[]      not null check (cardinality(event_types) between 1 and 50),
  -- What signs, which is why it is kept as it is; the previous one signs too for a while.
  secret           text        not null,
  previous_secret  text,
  previous_until   timestamptz,
  -- The number of the last event that was looked at for it.
  seen             bigint      not null,
  created_at       timestamptz not null,
  -- The visible prefix of a key.
  created_by       text        not null,
  disabled_at      timestamptz,
  -- The prefix of a key, or `receiver` where it answered that it is gone.
  disabled_by      text,
  primary key (tenant, id),
  check ((previous_secret is null) = (previous_until is null)),
  check ((disabled_at is null) = (disabled_by is null))
);

-- One event for one webhook.
create table webhook_deliveries (
  tenant       text        not null,
  webhook      uuid        not null,
  -- The event's number. The event itself may be deleted before it is delivered, which then is a failure that is noted.
  event        bigint      not null,
  -- The event's id, which the receiver tells repetitions by.
  event_id     uuid        not null,
  event_type   text        not null,
  status       text        not null default 'waiting' check (status in ('waiting', 'delivered', 'dead')),
  attempts     integer     not null default 0 check (attempts >= 0),
  -- When it is tried next, if it waits.
  next_at      timestamptz not null,
  -- Until when a server has it for itself, to send it.
  leased_until timestamptz,
  last_status  integer,
  last_error   text,
  created_at   timestamptz not null,
  last_at      timestamptz,
  ended_at     timestamptz,
  primary key (tenant, webhook, event),
  foreign key (tenant, webhook) references webhooks (tenant, id) on delete cascade,
  check ((status = 'waiting') = (ended_at is null))
);

create index webhook_deliveries_due on webhook_deliveries (tenant, webhook, next_at) where status = 'waiting';
create index webhook_deliveries_leased on webhook_deliveries (tenant, webhook) where leased_until is not null;
create index webhook_deliveries_over on webhook_deliveries (ended_at) where status <> 'waiting';

grant select, insert, delete,
  update (url, format, event_types, secret, previous_secret, previous_until, seen, disabled_at, disabled_by)
  on webhooks to ${app_role};
grant select, insert, delete,
  update (status, attempts, next_at, leased_until, last_status, last_error, last_at, ended_at)
  on webhook_deliveries to ${app_role};
