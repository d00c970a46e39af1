-- Approvals that another system relays: who decided is what an issuer has signed.

alter table api_keys
  drop constraint api_keys_known_roles,
  add constraint api_keys_known_roles check (
    cardinality(roles) > 0
    and roles <@ array['operator', 'decide', 'approvals.read', 'approvals.approve', 'approvals.break_glass',
                       'approvals.relay', 'policy.read', 'policy.write', 'policy.publish', 'audit.read', 'admin']);

-- The statement by which a review was relayed; both null where the person's own key reviewed.
alter table approval_reviews
  add column statement_issuer uuid,
  add column statement        text,
  add constraint approval_reviews_of_statement check ((statement_issuer is null) = (statement is null));

-- Statements that were presented: none is taken twice. They are kept until they would be refused as expired.
create table relayed_statements (
  tenant     text        not null references tenants (id),
  issuer     uuid        not null,
  -- Its `jti`.
  statement  text        not null check (length(statement) between 1 and 200),
  request    uuid        not null,
  used_at    timestamptz not null,
  kept_until timestamptz not null,
  primary key (issuer, statement)
);

create index relayed_statements_over on relayed_statements (kept_until);

grant select, insert, delete on relayed_statements to ${app_role};
-- What is deleted is locked before, so that two servers do not wait for each other.
grant update (kept_until) on relayed_statements to ${app_role};
