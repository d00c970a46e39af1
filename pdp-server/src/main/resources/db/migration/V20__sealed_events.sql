-- The events of approvals, chained in the order of their numbers, which is that of their commits.

-- One chain of all tenants, in the shape of a segment of the decision log: entry 0 is its header, each hash is over the one
-- before and the entry, and an entry names an event and the SHA-256 of it. It stands when old events are deleted.
create table sealed_events (
  seq     bigint primary key check (seq >= 0),
  segment uuid   not null,
  -- The number of the event; none for the header.
  event   bigint unique,
  entry   text   not null,
  hash    bytea  not null,
  check ((seq = 0) = (event is null))
);

-- What the sealer looks for.
create index events_of_approvals on events (number) where type like 'approval.%';

-- Nobody unseals.
grant select, insert on sealed_events to ${app_role};
