-- A version answers or is only watched, and never both.
update rule_packs_in_force set shadow = null, change = change + 1 where active = shadow;

alter table rule_packs_in_force add check (active <> shadow);
