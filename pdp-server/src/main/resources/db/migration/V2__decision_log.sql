-- The decision log as the shipper copies it out of the segment files. `entry` holds the exact bytes that were hashed, so it
-- is text, never jsonb. One index only: PostgreSQL's cost per row is the real price of the log.
create table decisions (
  tenant        text        not null,
  at            timestamptz not null,
  id            uuid        not null,
  segment       uuid        not null,
  seq           bigint      not null,
  hash          bytea       not null,
  decision      text,
  subject_type  text,
  subject_id    text,
  action        text,
  resource_type text,
  resource_id   text,
  caller        text,
  entry         text        not null,
  primary key (tenant, at, id)
) partition by range (at);

-- How far each segment has been shipped. The position is committed together with the rows.
create table log_segments (
  segment       uuid    primary key,
  server        text    not null,
  loop          integer not null,
  header        text    not null,
  header_hash   bytea   not null,
  shipped_bytes bigint  not null,
  shipped_seq   bigint  not null,
  last_hash     bytea   not null,
  closed        boolean not null
);

-- Makes the partition of a day (UTC) unless it is there. It runs with its owner's rights, so that the server needs none
-- to create tables.
create function ensure_decision_partition(day date) returns void
language plpgsql security definer
set timezone = 'UTC'
as $$
declare
  name text := 'decisions_' || to_char(day, 'YYYYMMDD');
begin
  if day is null or to_regclass(name) is not null then
    return;
  end if;
  perform pg_advisory_xact_lock(hashtext('ensure_decision_partition'));
  execute format(
    'create table if not exists %I partition of decisions for values from (%L) to (%L)',
    name, day::timestamptz, (day + 1)::timestamptz);
end
$$;

-- An entry as jsonb. It may hold what jsonb cannot: U+0000, half a surrogate pair, a number beyond all bounds. Then these
-- characters are replaced, and failing that the entry is given as one string: a query over many rows never breaks on one.
create function decision_json(entry text) returns jsonb
language plpgsql immutable parallel safe
as $$
begin
  return entry::jsonb;
exception when data_exception or program_limit_exceeded or statement_too_complex then
  begin
    return regexp_replace(
      regexp_replace(
        entry,
        '(?<!\\)((?:\\\\)*)\\u(?:0000|d[89ab][0-9a-f]{2}(?!\\ud[c-f][0-9a-f]{2}))', '\1\\ufffd', 'gi'),
      '(?<!\\ud[89ab][0-9a-f]{2})\\ud[c-f][0-9a-f]{2}', '\\ufffd', 'gi')::jsonb;
  exception when others then
    return jsonb_build_object('entry', entry);
  end;
end
$$;

create view audit_logs as
select
  d.id,
  d.tenant                                   as tenant_id,
  d.subject_type || ':' || d.subject_id      as actor,
  d.action,
  d.resource_type || ':' || d.resource_id    as resource,
  d.decision,
  j.details ->> 'reason'                     as reason,
  j.details ->> 'policy'                     as policy_id,
  j.details ->> 'id'                         as trace_id,
  d.at                                       as created_at,
  j.details
from decisions d
cross join lateral (select decision_json(d.entry) as details) j;

-- The search path of the functions is the schema that this migration runs in, whatever the caller's is.
do $$
begin
  execute format('alter function ensure_decision_partition(date) set search_path = %I, pg_temp', current_schema());
end
$$;

revoke all on function ensure_decision_partition(date) from public;

-- The server may add to the log and read it, and has no way to change it.
grant select, insert on decisions, log_segments to ${app_role};
grant update (shipped_bytes, shipped_seq, last_hash, closed) on log_segments to ${app_role};
grant select on audit_logs to ${app_role};
grant execute on function ensure_decision_partition(date) to ${app_role};
