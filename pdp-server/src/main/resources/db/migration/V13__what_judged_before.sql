-- The number of policy_revisions that a change of what judges made: while it is still the newest, nothing else has changed since.
alter table rule_packs_history add revision bigint;
