-- When it is to be told that the stage at hand has escalated; null once it is told, or where nothing escalates. Who may
-- review is never read from it: that is told by the clock.
alter table approval_requests add column escalates_at timestamptz;

create index approval_requests_escalating on approval_requests (escalates_at)
  where status = 'pending' and escalates_at is not null;

grant update (escalates_at) on approval_requests to ${app_role};
