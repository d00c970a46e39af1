-- Reviewers see first what is most dangerous.

alter table approval_requests add column risk_rank smallint not null
  generated always as (case risk when 'critical' then 0 when 'high' then 1 when 'medium' then 2 when 'low' then 3 else 4 end) stored;

create index approval_requests_by_risk on approval_requests (tenant, status, risk_rank, created_at, id);
