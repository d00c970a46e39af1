-- Places of reviewers on one request that were handed on to others.
create table approval_reassignments (
  tenant      text        not null,
  request     uuid        not null,
  -- Whose place; no longer that person's, who does not review the request any more.
  from_person uuid        not null,
  -- Who reviews in it, and in those that the one had been handed.
  to_person   uuid        not null,
  at          timestamptz not null,
  -- The visible prefix of the key that handed it on, and its person if it is one's.
  key         text        not null,
  by_person   uuid,
  note        text,
  primary key (tenant, request, from_person),
  foreign key (tenant, request) references approval_requests (tenant, id),
  foreign key (tenant, from_person) references persons (tenant, id),
  foreign key (tenant, to_person) references persons (tenant, id),
  foreign key (tenant, by_person) references persons (tenant, id),
  constraint approval_reassignments_to_another check (from_person <> to_person)
);

grant select, insert on approval_reassignments to ${app_role};
