-- One person approves alone in an emergency.

-- Whether one person may approve a request alone in an emergency, or has.
alter table approval_requests add column break_glass text not null default 'no'
  check (break_glass in ('no', 'allowed', 'used'));

grant update (break_glass) on approval_requests to ${app_role};

-- Requests that one person approved alone, and what another said of that.
create table approval_emergencies (
  tenant       text        not null,
  request      uuid        not null,
  person       uuid        not null,
  -- The visible prefix of the key.
  key          text        not null,
  reason       text        not null,
  at           timestamptz not null,
  verdict      text        check (verdict in ('justified', 'unjustified')),
  reviewed_by  uuid,
  reviewed_key text,
  review_note  text,
  reviewed_at  timestamptz,
  primary key (tenant, request),
  foreign key (tenant, request) references approval_requests (tenant, id),
  foreign key (tenant, person) references persons (tenant, id),
  foreign key (tenant, reviewed_by) references persons (tenant, id),
  constraint approval_emergencies_by_another check (reviewed_by is distinct from person),
  check ((verdict is null) = (reviewed_by is null) and (verdict is null) = (reviewed_at is null))
);

create index approval_emergencies_open on approval_emergencies (tenant, at) where verdict is null;

grant select, insert, update (verdict, reviewed_by, reviewed_key, review_note, reviewed_at)
  on approval_emergencies to ${app_role};
