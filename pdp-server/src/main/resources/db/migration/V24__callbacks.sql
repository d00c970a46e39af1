-- Who is told by HTTP that a task has ended, as its submission asked.

-- What is to be sent once all of a task has ended. It is gone once it is queued, so it is queued once.
create table task_callbacks (
  tenant     text        not null references tenants (id),
  task       uuid        not null,
  -- The webhook that was registered for the endpoint, whose secret signs. It may be deleted in between.
  webhook    uuid        not null,
  -- What the requester wants back, as JSON text.
  state      text,
  -- The states of which it wants to be told.
  events     text[]      not null check (cardinality(events) > 0),
  created_at timestamptz not null,
  primary key (tenant, task)
);

create index task_callbacks_of_webhook on task_callbacks (tenant, webhook);

-- A delivery is of an event, or of the end of a task: then its number is of the same row of numbers, and of no event.
alter table webhook_deliveries add column task uuid, add column state text;
create unique index webhook_deliveries_of_task on webhook_deliveries (tenant, task) where task is not null;

grant select, insert, delete on task_callbacks to ${app_role};
grant usage on sequence events_number_seq to ${app_role};
