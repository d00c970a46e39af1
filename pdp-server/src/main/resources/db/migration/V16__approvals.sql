-- What humans are asked, what they say, and what may be done because of it.

-- One call that somebody wants approved.
create table approval_requests (
  tenant           text        not null references tenants (id),
  -- Drawn at random: whoever does not know it cannot guess it.
  id               uuid        not null,
  -- What it was submitted as: by itself, or as one of a bundle.
  task             uuid        not null,
  position         integer     not null check (position >= 0),
  status           text        not null default 'pending'
    check (status in ('pending', 'approved', 'denied', 'expired', 'cancelled', 'failed')),
  -- The decision that denied the call.
  evaluation_id    uuid        not null,
  -- Who asks: `person:` and an id, or `service:` and the name of its keys.
  requester        text        not null,
  requester_key    text        not null,
  requester_person uuid,
  -- What the requester calls it.
  client_id        text,
  idempotency_key  text,
  -- The SHA-256 of the submission.
  submission       text        not null,
  subject_type     text        not null,
  subject_id       text        not null,
  action           text        not null,
  resource_type    text        not null,
  resource_id      text        not null,
  -- The call as JSON text, credentials in it replaced by their digests.
  call             text        not null,
  -- Whether nothing in it was replaced, so that it is the very call.
  whole            boolean     not null,
  -- The SHA-256 of what is bound, and which members of the context and which arguments are, or are not.
  digest           text        not null,
  bound_context    text[]      not null,
  advisory         text[]      not null,
  -- What rules ask approval for, and the stages of reviews, as JSON.
  findings         text        not null,
  stages           text        not null,
  stage            integer     not null default 0,
  -- The persons on the requester's side when it was made, and whom the requester named there.
  excluded         uuid[]      not null,
  claimed          text[]      not null,
  reason           text        not null,
  risk             text        not null,
  description      text,
  requested_by     text,
  run_id           text,
  session_id       text,
  project_id       text,
  agent_name       text,
  confidence       double precision,
  created_at       timestamptz not null,
  decide_by        timestamptz not null,
  use_seconds      bigint      not null check (use_seconds > 0),
  requested_until  timestamptz,
  ended_at         timestamptz,
  ended_by         text,
  ended_person     uuid,
  note             text,
  primary key (tenant, id),
  foreign key (tenant, requester_person) references persons (tenant, id),
  foreign key (tenant, ended_person) references persons (tenant, id),
  check ((status = 'pending') = (ended_at is null)),
  -- No service, and nobody for himself.
  constraint approval_requests_by_another check (
    status not in ('approved', 'denied')
      or ended_person is not null and ended_person is distinct from requester_person)
);

create unique index approval_requests_of_task on approval_requests (tenant, task, position);
-- A denial is asked for once.
create unique index approval_requests_of_denial on approval_requests (tenant, evaluation_id);
create unique index approval_requests_by_client_id on approval_requests (tenant, requester, client_id)
  where client_id is not null;
create unique index approval_requests_by_key on approval_requests (tenant, requester, idempotency_key)
  where idempotency_key is not null and position = 0;
create index approval_requests_listed on approval_requests (tenant, status, created_at, id);
create index approval_requests_of_requester on approval_requests (tenant, requester, created_at);
create index approval_requests_due on approval_requests (decide_by) where status = 'pending';

-- What one person said. A person says it once.
create table approval_reviews (
  tenant      text        not null,
  request     uuid        not null,
  person      uuid        not null,
  -- The person whose place it takes, by delegation.
  in_place_of uuid,
  stage       integer     not null,
  vote        text        not null check (vote in ('approve', 'deny')),
  -- The visible prefix of the key.
  key         text        not null,
  note        text,
  at          timestamptz not null,
  primary key (tenant, request, person),
  foreign key (tenant, request) references approval_requests (tenant, id),
  foreign key (tenant, person) references persons (tenant, id),
  foreign key (tenant, in_place_of) references persons (tenant, id)
);

-- What may be done because of it, once.
create table approvals (
  tenant       text        not null,
  id           uuid        not null,
  request      uuid        not null,
  -- As in approval_requests.
  requester    text        not null,
  status       text        not null default 'active'
    check (status in ('active', 'reserved', 'consumed', 'revoked', 'expired', 'in_doubt')),
  approved_at  timestamptz not null,
  use_by       timestamptz not null,
  -- The signed reference that its holder presents.
  state        text        not null,
  -- By which the holder reports; null where it was used without.
  execution_id text,
  -- The decision that let the call run.
  decision     uuid,
  used_at      timestamptz,
  -- Until when a report is waited for.
  report_by    timestamptz,
  ended_at     timestamptz,
  ended_by     text,
  note         text,
  primary key (tenant, id),
  unique (tenant, request),
  foreign key (tenant, request) references approval_requests (tenant, id),
  check ((status in ('active', 'expired', 'revoked')) or used_at is not null)
);

create index approvals_due on approvals (use_by) where status = 'active';
create index approvals_unreported on approvals (report_by) where status = 'reserved';
-- One run has one approval.
create unique index approvals_by_execution on approvals (tenant, requester, execution_id)
  where execution_id is not null;

-- What became of each run.
create table action_executions (
  tenant        text        not null references tenants (id),
  -- Who ran it, as in approval_requests.
  requester     text        not null,
  execution_id  text        not null,
  approval      uuid,
  decision      uuid,
  action        text        not null,
  status        text        not null check (status in ('started', 'succeeded', 'failed', 'unknown', 'not_started')),
  attempts      integer     not null check (attempts >= 0),
  error_class   text,
  result_digest text,
  duration_ms   bigint,
  started_at    timestamptz not null,
  ended_at      timestamptz,
  primary key (tenant, requester, execution_id),
  foreign key (tenant, approval) references approvals (tenant, id)
);

-- Wakes whoever waits for a request, on any server.
create function tell_approval_request() returns trigger
language plpgsql
as $$
begin
  perform pg_notify('countersign_approvals', new.task::text);
  return null;
end
$$;

create function tell_approval() returns trigger
language plpgsql
as $$
begin
  perform pg_notify('countersign_approvals', task::text) from approval_requests where tenant = new.tenant and id = new.request;
  return null;
end
$$;

revoke all on function tell_approval_request(), tell_approval() from public;

create trigger approval_requests_told after update on approval_requests
  for each row execute function tell_approval_request();
create trigger approvals_told after update on approvals
  for each row execute function tell_approval();

-- Seed 002: what agents propose, and what became of it.
create view pending_actions as
select
  r.id,
  r.tenant                                  as tenant_id,
  r.project_id,
  r.session_id,
  coalesce(r.agent_name, case when r.subject_type = 'agent' then r.subject_id end) as agent_name,
  r.action                                  as action_type,
  r.call                                    as payload,
  r.confidence,
  case
    when a.status = 'consumed' then 'applied'
    when r.status = 'denied' then 'rejected'
    else r.status
  end                                       as status,
  coalesce(r.requester_person::text, r.requester_key) as requested_by_id,
  case when r.status in ('approved', 'denied') then r.ended_person end as approved_by_id,
  r.note                                    as reason,
  r.created_at,
  r.ended_at                                as decided_at,
  a.used_at                                 as applied_at
from approval_requests r
left join approvals a on a.tenant = r.tenant and a.request = r.id;

grant select, insert, update (status, stage, ended_at, ended_by, ended_person, note) on approval_requests to ${app_role};
grant select, insert on approval_reviews to ${app_role};
grant select, insert,
  update (status, execution_id, decision, used_at, report_by, ended_at, ended_by, note) on approvals to ${app_role};
grant select, insert,
  update (status, attempts, error_class, result_digest, duration_ms, ended_at) on action_executions to ${app_role};
grant select on pending_actions to ${app_role};
