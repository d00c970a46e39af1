-- Who may call: tenants, the people of a tenant, and API keys.
-- ${app_role} is the role that the server works as; it can do what these migrations grant and no more.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ${app_role};

CREATE TABLE tenants (
    id         text        PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 200),
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT now()
);

GRANT SELECT, INSERT, UPDATE (name) ON tenants TO ${app_role};

CREATE TABLE persons (
    id         uuid        PRIMARY KEY,
    tenant     text        NOT NULL REFERENCES tenants (id),
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- What api_keys refers to, so that a key and its person are of one tenant.
    UNIQUE (tenant, id)
);

GRANT SELECT, INSERT, UPDATE (name) ON persons TO ${app_role};

CREATE TABLE api_keys (
    -- The visible prefix of the key, by which people name it.
    id         text        PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    -- Null for an operator's key.
    tenant     text        REFERENCES tenants (id),
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    -- SHA-256 of the whole key.
    hash       bytea       NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    roles      text[]      NOT NULL,
    -- Null for a service, which never approves.
    person_id  uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    CONSTRAINT api_keys_known_roles CHECK (
        cardinality(roles) > 0
        AND roles <@ ARRAY['operator', 'decide', 'approvals.read', 'approvals.approve', 'approvals.break_glass',
                           'policy.read', 'policy.write', 'policy.publish', 'audit.read', 'admin']),
    -- The operator sees no tenant's data, and a tenant's key never acts as operator.
    CONSTRAINT api_keys_one_plane CHECK (
        CASE WHEN tenant IS NULL THEN roles = ARRAY['operator'] ELSE NOT 'operator' = ANY (roles) END),
    CONSTRAINT api_keys_person_of_tenant FOREIGN KEY (tenant, person_id) REFERENCES persons (tenant, id),
    CONSTRAINT api_keys_person_needs_tenant CHECK (person_id IS NULL OR tenant IS NOT NULL)
);

CREATE INDEX api_keys_of_person ON api_keys (tenant, person_id);

-- A key's hash, roles and person never change: another key is made, and this one revoked.
GRANT SELECT, INSERT, UPDATE (name, revoked_at) ON api_keys TO ${app_role};
