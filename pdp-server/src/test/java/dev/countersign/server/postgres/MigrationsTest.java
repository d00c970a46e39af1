package dev.countersign.server.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.SQLException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(PostgresExtension.class)
class MigrationsTest {

    private static final String PERSON = "'6f2b1f0e-6a0c-4c55-9a8d-0f6d3f0f6b11'";

    @Test
    void migratingTwiceChangesNothing(@AsOwner PostgresAddress owner, PostgresAddress application) throws Exception {
        String history = "SELECT string_agg(version || ' ' || installed_on, ',') FROM flyway_schema_history";
        String before = Sql.query(owner, history);

        assertThat(Migrations.migrate(owner)).isEqualTo(application);

        assertThat(Sql.query(owner, history)).isEqualTo(before).startsWith("1 ");
    }

    @Test
    void theServersRoleIsNotTheOwnerAndReadsAndWritesItsTables(PostgresAddress application) throws Exception {
        assertThat(application.user()).isEqualTo("countersign_app");

        Sql.execute(application, "INSERT INTO tenants (id, name) VALUES ('acme', 'Acme')");

        assertThat(Sql.query(application, "SELECT name FROM tenants WHERE id = 'acme'"))
                .isEqualTo("Acme");
        assertThat(Sql.query(
                        application,
                        "SELECT concat_ws(' ', rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls)"
                                + " FROM pg_roles WHERE rolname = current_user"))
                .isEqualTo("f f f f f");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DROP TABLE api_keys",
                "TRUNCATE api_keys",
                "DELETE FROM api_keys",
                "ALTER TABLE api_keys DROP CONSTRAINT api_keys_known_roles",
                "UPDATE api_keys SET roles = ARRAY['admin']",
                "UPDATE api_keys SET hash = sha256('x')",
                "DELETE FROM settings_history",
                "UPDATE settings_history SET new_value = '1'",
                "UPDATE settings SET tenant = 'other'",
                "TRUNCATE settings",
                "UPDATE revisions SET revision = 0",
                "INSERT INTO revisions VALUES ('mine', 0)",
                "DELETE FROM events",
                "UPDATE events SET body = ''",
                "TRUNCATE events",
                "UPDATE signing_keys SET kid = ''",
                "TRUNCATE signing_keys",
                "UPDATE approval_requests SET digest = ''",
                "UPDATE approval_requests SET stages = '[]'",
                "DELETE FROM approval_requests",
                "UPDATE approval_reviews SET vote = 'approve'",
                "DELETE FROM approval_reviews",
                "UPDATE approvals SET use_by = now()",
                "DELETE FROM approvals",
                "DELETE FROM action_executions",
                "CREATE TABLE mine (n int)",
                "CREATE DATABASE mine",
                "CREATE ROLE mine",
                "SELECT * FROM flyway_schema_history",
                "SELECT * FROM pg_authid",
                "SELECT pg_read_file('postgresql.conf')",
                "COPY tenants TO PROGRAM 'cat'",
                "SET ROLE countersign"
            })
    void theServersRoleMayDoNoMoreThanWasGranted(String sql, PostgresAddress application) {
        assertThatThrownBy(() -> Sql.execute(application, sql))
                .isInstanceOf(SQLException.class)
                .extracting(failed -> ((SQLException) failed).getSQLState())
                // insufficient_privilege
                .isEqualTo("42501");
    }

    @Test
    void aNewPasswordOfTheOwnerIsFollowedByTheServersRole(@AsOwner PostgresAddress owner) throws Exception {
        Sql.execute(owner, "CREATE ROLE second SUPERUSER LOGIN PASSWORD 'another'");
        try {
            PostgresAddress application = Migrations.migrate(owner.withLogin("second", "another"));

            assertThat(application.user()).isEqualTo("countersign_app");
            assertThat(Sql.query(application, "SELECT count(*) FROM tenants")).isEqualTo("0");
        } finally {
            Migrations.migrate(owner);
            Sql.execute(owner, "DROP ROLE second");
        }
    }

    @Test
    void anOwnerWhoMayNotCreateRolesWorksHimself(@AsOwner PostgresAddress superuser) throws Exception {
        PostgresAddress plain = superuser.withDatabase("plain").withLogin("plain \"user", "pw");
        Sql.execute(superuser, "CREATE ROLE \"plain \"\"user\" LOGIN PASSWORD 'pw'");
        Sql.execute(superuser, "CREATE DATABASE plain OWNER \"plain \"\"user\"");
        try {
            assertThat(Migrations.migrate(plain)).isEqualTo(plain);
            assertThat(Sql.query(plain, "SELECT count(*) FROM tenants")).isEqualTo("0");

            // The tables grant the other role nothing, so it is not used even when it could log in.
            assertThat(Migrations.migrate(superuser.withDatabase("plain"))).isEqualTo(superuser.withDatabase("plain"));
        } finally {
            Sql.execute(superuser, "DROP DATABASE plain WITH (FORCE)");
            Sql.execute(superuser, "DROP ROLE \"plain \"\"user\"");
        }
    }

    @Test
    void saysThatTheDatabaseCannotBeReachedWithoutThePassword(@AsOwner PostgresAddress owner) {
        assertThatThrownBy(() -> Migrations.migrate(owner.withLogin("countersign", "hunter2")))
                .isInstanceOf(PostgresException.class)
                .hasMessageContaining("cannot reach PostgreSQL at countersign@127.0.0.1")
                .hasMessageContaining("check the address")
                .hasMessageNotContaining("hunter2");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "acme | {decide}           | sha256('k')     | true",
                "acme | {decide,admin}     | sha256('k')     | true",
                "     | {operator}         | sha256('k')     | true",
                "acme | {operator}         | sha256('k')     | false",
                "acme | {decide,operator}  | sha256('k')     | false",
                "     | {decide}           | sha256('k')     | false",
                "     | {operator,decide}  | sha256('k')     | false",
                "acme | {root}             | sha256('k')     | false",
                "acme | {}                 | sha256('k')     | false",
                "acme | {NULL}             | sha256('k')     | false",
                "     | {NULL}             | sha256('k')     | false",
                "acme | {decide}           | 'short'         | false",
                "none | {decide}           | sha256('k')     | false"
            })
    void aKeyHasKnownRolesOfOnePlane(
            String tenant, String roles, String hash, boolean accepted, PostgresAddress application) throws Exception {
        Sql.execute(application, "INSERT INTO tenants (id, name) VALUES ('acme', 'Acme')");
        String insert = "INSERT INTO api_keys (id, tenant, name, hash, roles) VALUES ('k', "
                + (tenant == null ? "NULL" : "'" + tenant + "'") + ", 'Key', " + hash + ", '" + roles + "')";

        if (accepted) {
            Sql.execute(application, insert);
        } else {
            assertThatThrownBy(() -> Sql.execute(application, insert)).isInstanceOf(SQLException.class);
        }

        assertThat(Sql.query(application, "SELECT count(*) FROM api_keys")).isEqualTo(accepted ? "1" : "0");
    }

    @Test
    void aKeyBelongsToAPersonOfItsOwnTenant(PostgresAddress application) throws Exception {
        Sql.execute(application, "INSERT INTO tenants (id, name) VALUES ('a', 'A'), ('b', 'B')");
        Sql.execute(
                application,
                "INSERT INTO persons (id, tenant, name, folded) VALUES (" + PERSON + ", 'a', 'Ann', 'ann')");
        String insert = "INSERT INTO api_keys (id, tenant, name, hash, roles, person_id) VALUES ";

        Sql.execute(application, insert + "('k', 'a', 'Key', sha256('k'), '{decide}', " + PERSON + ")");
        assertThatThrownBy(() ->
                        Sql.execute(application, insert + "('l', 'b', 'Key', sha256('l'), '{decide}', " + PERSON + ")"))
                .hasMessageContaining("api_keys_person_of_tenant");
        assertThatThrownBy(() -> Sql.execute(
                        application, insert + "('m', NULL, 'Key', sha256('m'), '{operator}', " + PERSON + ")"))
                .hasMessageContaining("api_keys_person_needs_tenant");
    }

    @Test
    void twoKeysNeverShareAHash(PostgresAddress application) throws Exception {
        String insert = "INSERT INTO api_keys (id, name, hash, roles) VALUES ";
        Sql.execute(application, insert + "('k', 'Key', sha256('k'), '{operator}')");

        assertThatThrownBy(() -> Sql.execute(application, insert + "('l', 'Key', sha256('k'), '{operator}')"))
                .hasMessageContaining("api_keys_hash_key");
    }

    @Test
    void everyTestHasADatabaseOfItsOwn(PostgresAddress application, @AsOwner PostgresAddress owner) throws Exception {
        assertThat(owner.database()).isEqualTo(application.database());
        assertThat(Sql.query(application, "SELECT count(*) FROM tenants")).isEqualTo("0");
        assertThat(Sql.query(application, "SELECT count(*) FROM api_keys")).isEqualTo("0");
    }
}
