-- What happened in a tenant, for whoever follows it: CloudEvents in one order.

-- `number` is that order, and the cursor of readers: see order_events().
create table events (
  tenant text        not null,
  number bigint      generated always as identity,
  id     uuid        not null,
  type   text        not null,
  time   timestamptz not null,
  -- The CloudEvent in JSON.
  body   text        not null,
  primary key (tenant, number)
);

-- Costs next to nothing to keep, and finds the old ones, which its owner deletes.
create index events_by_time on events using brin (time);

-- Numbers are drawn under a lock that is held until the end of the transaction: so they become visible in their order, and
-- whoever has read one has seen all before it. A transaction inserts events last, as others wait for it; one that then goes
-- to sleep is ended.
create function order_events() returns trigger
language plpgsql
as $$
begin
  perform set_config('idle_in_transaction_session_timeout', '10s', true);
  perform pg_advisory_xact_lock(hashtext('countersign events'));
  return null;
end
$$;

-- Tells all servers of which tenants there are new events, once they are committed.
create function tell_events() returns trigger
language plpgsql
as $$
begin
  perform pg_notify('countersign_events', tenant) from (select distinct tenant from added) tenants;
  return null;
end
$$;

revoke all on function order_events(), tell_events() from public;

create trigger events_in_order before insert on events
  for each statement execute function order_events();
create trigger events_told after insert on events
  referencing new table as added for each statement execute function tell_events();

-- The server may add events and read them, and has no way to change them.
grant select, insert on events to ${app_role};
