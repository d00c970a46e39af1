package dev.countersign.server.entities;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.entities.EntityData;
import dev.countersign.rules.entities.EntityFiles;
import dev.countersign.rules.entities.EntityNeeds;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Unavailable;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.live.Changes;
import dev.countersign.server.live.LiveFeed;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import java.sql.DriverManager;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Decisions know of entities what the database holds, at once or a moment after they ask. */
@ExtendWith(PostgresExtension.class)
class EntityDirectoryTest {
    private static final YAMLMapper YAML = new YAMLMapper();
    private static final Attribute ROLES = BuiltIn.ROLES.attribute();
    private static final EntityNeeds NEEDS = EntityNeeds.of(List.of(ROLES));
    private static final EntityKey MIA = new EntityKey("user", "mia");
    private static final String BY = "csk_test";

    private Vertx vertx;
    private PgConnectOptions options;
    private Server one;
    private Server two;

    /** What a server has of entities, with a connection of its own to the database. */
    private record Server(LiveFeed feed, EntityStore store, EntityDirectory directory) {}

    @BeforeEach
    void connect(PostgresAddress database, @AsOwner PostgresAddress owner) throws Exception {
        vertx = Vertx.vertx();
        options = new PgConnectOptions()
                .setHost(database.host())
                .setPort(database.port())
                .setDatabase(database.database())
                .setUser(database.user())
                .setPassword(database.password());
        for (String tenant : List.of("acme", "other")) {
            Sql.execute(owner, "insert into tenants (id, name) values ('" + tenant + "', 'x')");
        }
        Sql.execute(
                owner,
                "insert into api_keys (id, tenant, name, hash, roles) values ('" + BY
                        + "', 'acme', 'k', sha256('k'), '{admin}')");
        one = server();
        two = server();
    }

    private Server server() throws Exception {
        Pool pool = PgBuilder.pool().connectingTo(options).using(vertx).build();
        var feed = new LiveFeed(pool, Clock.systemUTC(), Duration.ofSeconds(1));
        var store = new EntityStore(
                pool,
                new Changes(pool, feed, Clock.systemUTC()),
                Clock.systemUTC(),
                tenant -> Future.succeededFuture(PackEntities.NONE));
        var directory = new EntityDirectory(store, 1 << 20);
        feed.live("entities", -1L, directory::forget);
        done(feed.start(vertx, options));
        return new Server(feed, store, directory);
    }

    @AfterEach
    void disconnect() throws Exception {
        done(vertx.close());
    }

    private static <T> T done(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private static JsonNode json(String yaml) throws Exception {
        return YAML.readTree(yaml);
    }

    private static Call call(String subject) throws Exception {
        return Call.of(
                json("{type: user, id: " + subject + ", properties: {roles: [claimed]}}"),
                json("{name: run}"),
                json("{type: tool, id: t}"),
                null);
    }

    private static EntityData data(String yaml) throws Exception {
        return EntityData.of(json(yaml));
    }

    private static void put(Server at, String tenant, String id, String yaml) throws Exception {
        EntityStore.Written written =
                done(at.store().put(tenant, new EntityKey("user", id), data(yaml), true, BY, version -> true));
        assertThat(written).isInstanceOf(EntityStore.Written.Done.class);
    }

    private static Object now(Server at, String tenant, String subject) {
        try {
            Call call = at.directory().now(tenant, PackEntities.NONE, NEEDS, call(subject));
            return call == null ? "not in memory" : ROLES.read(call);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private static Object later(Server at, String tenant, String subject) throws Exception {
        return ROLES.read(done(at.directory().later(tenant, PackEntities.NONE, NEEDS, call(subject))));
    }

    @Test
    void whatWasAskedForOnceIsKnownAtOnce() throws Exception {
        put(one, "acme", "mia", "{roles: [dev]}");
        assertThat(now(one, "acme", "mia")).isEqualTo("not in memory");
        assertThat(later(one, "acme", "mia")).isEqualTo(List.of("dev"));
        assertThat(now(one, "acme", "mia")).isEqualTo(List.of("dev"));
    }

    @Test
    void thatThereIsNoneIsKnownTooUntilThereIsOne() throws Exception {
        assertThat(later(one, "acme", "mia")).isNull();
        assertThat(later(two, "acme", "mia")).isNull();
        assertThat(now(one, "acme", "mia")).isNull();
        put(one, "acme", "mia", "{roles: [dev]}");
        assertThat(now(one, "acme", "mia")).isEqualTo("not in memory");
        RunningServer.until("the other server forgets", () -> "not in memory".equals(now(two, "acme", "mia")));
        assertThat(later(two, "acme", "mia")).isEqualTo(List.of("dev"));
    }

    @Test
    void aChangeIsKnownAtOnceWhereItWasMadeAndSoonEverywhere() throws Exception {
        for (String id : List.of("mia", "bo")) {
            put(one, "acme", id, "{roles: [dev]}");
        }
        done(two.feed().look());
        for (String id : List.of("mia", "bo")) {
            later(one, "acme", id);
            later(two, "acme", id);
        }
        put(one, "acme", "mia", "{roles: [boss]}");
        assertThat(later(one, "acme", "mia")).isEqualTo(List.of("boss"));
        RunningServer.until("the other server forgets", () -> "not in memory".equals(now(two, "acme", "mia")));
        assertThat(later(two, "acme", "mia")).isEqualTo(List.of("boss"));
        assertThat(now(two, "acme", "bo")).as("nobody changed this one").isEqualTo(List.of("dev"));
        done(one.store().delete("acme", MIA, true, BY, version -> true));
        assertThat(later(one, "acme", "mia")).isNull();
        RunningServer.until("the other server forgets", () -> "not in memory".equals(now(two, "acme", "mia")));
        assertThat(later(two, "acme", "mia")).isNull();
    }

    @Test
    void aChangeOfManyIsOneOfAllThatTheTenantHas() throws Exception {
        put(one, "acme", "mia", "{roles: [dev]}");
        put(one, "other", "mia", "{roles: [dev]}");
        done(two.feed().look());
        later(two, "acme", "mia");
        later(two, "other", "mia");
        var many = new LinkedHashMap<EntityKey, EntityData>();
        for (int i = 0; i < 200; i++) {
            many.put(new EntityKey("user", "u" + i), data("{roles: [dev]}"));
        }
        many.put(MIA, data("{roles: [boss]}"));
        done(one.store().putAll("acme", many, true, BY));
        RunningServer.until("the other server forgets", () -> "not in memory".equals(now(two, "acme", "mia")));
        assertThat(later(two, "acme", "mia")).isEqualTo(List.of("boss"));
        assertThat(now(two, "other", "mia")).as("of another tenant").isEqualTo(List.of("dev"));
    }

    @Test
    void whoeverChangesTheTableIsHeard(@AsOwner PostgresAddress owner) throws Exception {
        put(one, "acme", "mia", "{roles: [dev]}");
        later(one, "acme", "mia");
        Sql.execute(owner, "update entities set roles = '{boss}', version = 1 where id = 'mia'");
        RunningServer.until("the server forgets", () -> "not in memory".equals(now(one, "acme", "mia")));
        assertThat(later(one, "acme", "mia")).isEqualTo(List.of("boss"));
        Sql.execute(owner, "truncate entities");
        RunningServer.until("the server forgets", () -> "not in memory".equals(now(one, "acme", "mia")));
        assertThat(later(one, "acme", "mia")).isNull();
    }

    @Test
    void aServerThatHeardNothingForVeryLongForgetsEverything(@AsOwner PostgresAddress owner) throws Exception {
        put(one, "acme", "mia", "{roles: [dev]}");
        later(one, "acme", "mia");
        Sql.execute(owner, "update revisions set revision = revision + 20000 where kind = 'entities'");
        done(one.feed().look());
        assertThat(now(one, "acme", "mia")).isEqualTo("not in memory");
    }

    @Test
    void aDatabaseThatIsPutBackIsBelieved(@AsOwner PostgresAddress owner) throws Exception {
        put(one, "acme", "mia", "{roles: [dev]}");
        Sql.execute(owner, "update revisions set revision = revision + 5 where kind = 'entities'");
        done(one.feed().look());
        later(one, "acme", "mia");
        Sql.execute(owner, "alter table entities disable trigger user");
        Sql.execute(owner, "delete from entities");
        Sql.execute(owner, "alter table entities enable trigger user");
        Sql.execute(owner, "update revisions set revision = 1 where kind = 'entities'");
        done(one.feed().look());
        assertThat(later(one, "acme", "mia")).isNull();
        assertThat(now(one, "acme", "mia")).as("kept again").isNull();
    }

    @Test
    void whatWasReadBeforeAChangeIsNotKeptAfterIt(@AsOwner PostgresAddress owner) throws Exception {
        put(one, "acme", "mia", "{roles: [dev]}");
        try (var connection = DriverManager.getConnection(owner.jdbcUrl(), owner.jdbcProperties());
                var statement = connection.createStatement()) {
            for (int i = 0; i < 50; i++) {
                String role = "r" + i;
                Future<Call> reading = one.directory().later("acme", PackEntities.NONE, NEEDS, call("mia"));
                statement.execute("update entities set roles = '{" + role + "}' where id = 'mia'");
                done(reading);
                done(one.feed().look());
                assertThat(later(one, "acme", "mia")).isEqualTo(List.of(role));
                assertThat(now(one, "acme", "mia")).isEqualTo(List.of(role));
            }
        }
    }

    @Test
    void tenantsAndTypesAreKeptApart() throws Exception {
        put(one, "acme", "mia", "{roles: [dev]}");
        put(one, "other", "mia", "{roles: [boss]}");
        assertThat(later(one, "acme", "mia")).isEqualTo(List.of("dev"));
        assertThat(later(one, "other", "mia")).isEqualTo(List.of("boss"));
        assertThat(later(one, "third", "mia")).isNull();
    }

    @Test
    void packsStandBeneathTheTenantsOwn() throws Exception {
        var files = new EntityFiles("carrier", new Diagnostics());
        files.read("users.jsonl", "{\"type\":\"user\",\"id\":\"mia\",\"roles\":[\"carried\"]}\n");
        PackEntities packs = files.entities();
        assertThat(ROLES.read(done(one.directory().later("acme", packs, NEEDS, call("mia")))))
                .isEqualTo(List.of("carried"));
        assertThat(ROLES.read(one.directory().now("acme", packs, NEEDS, call("mia"))))
                .isEqualTo(List.of("carried"));
        put(one, "acme", "mia", "{attributes: {a: 1}}");
        assertThat(ROLES.read(done(one.directory().later("acme", packs, NEEDS, call("mia")))))
                .isEqualTo(List.of());
    }

    @Test
    void whatNobodyNeedsIsNotAskedFor() throws Exception {
        Call call = call("mia");
        assertThat(one.directory().now("acme", PackEntities.NONE, EntityNeeds.NONE, call))
                .isSameAs(call);
    }

    @Test
    void aDatabaseThatDoesNotAnswerLeavesItUnavailableAndIsAskedAgain(@AsOwner PostgresAddress owner) throws Exception {
        put(one, "acme", "mia", "{roles: [dev]}");
        try (var connection = DriverManager.getConnection(owner.jdbcUrl(), owner.jdbcProperties());
                var statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("lock table entities in access exclusive mode");
            assertThat(later(one, "acme", "mia")).isEqualTo(Unavailable.VALUE);
            connection.rollback();
        }
        assertThat(later(one, "acme", "mia")).isEqualTo(List.of("dev"));
    }

    @Test
    void theAnswerComesOnTheLoopThatAsked() throws Exception {
        put(one, "acme", "mia", "{roles: [dev]}");
        var answered = new CompletableFuture<Boolean>();
        Context loop = vertx.getOrCreateContext();
        Call call = call("mia");
        Future<Call> other = one.directory().later("acme", PackEntities.NONE, NEEDS, call);
        loop.runOnContext(begun -> one.directory()
                .later("acme", PackEntities.NONE, NEEDS, call)
                .onComplete(found -> answered.complete(Vertx.currentContext() == loop)));
        assertThat(answered.get(30, TimeUnit.SECONDS)).isTrue();
        assertThat(ROLES.read(done(other))).isEqualTo(List.of("dev"));
    }

    @Test
    void moreThanTheBoundIsForgottenAndReadAgain() throws Exception {
        var many = new LinkedHashMap<EntityKey, EntityData>();
        for (int i = 0; i < 100; i++) {
            many.put(
                    new EntityKey("user", "u" + i),
                    data("{roles: [r" + i + "], attributes: {a: " + "x".repeat(30_000) + "}}"));
        }
        done(one.store().putAll("acme", many, true, BY));
        for (int i = 0; i < 100; i++) {
            assertThat(later(one, "acme", "u" + i)).isEqualTo(List.of("r" + i));
        }
        RunningServer.until("some are forgotten", () -> {
            long known = 0;
            for (int i = 0; i < 100; i++) {
                known += "not in memory".equals(now(one, "acme", "u" + i)) ? 0 : 1;
            }
            return known < 20;
        });
        assertThat(later(one, "acme", "u0")).isEqualTo(List.of("r0"));
    }

    @Test
    void theServersRoleWritesNoRevisionOfItsOwn(PostgresAddress application) throws Exception {
        put(one, "acme", "mia", "{roles: [dev]}");
        for (String sql : List.of(
                "update entities set version = 1",
                "update entities set tenant = 'other'",
                "insert into entity_changes values (1)",
                "delete from entity_changes",
                "truncate entities")) {
            assertThat(Map.of(sql, denied(application, sql))).containsEntry(sql, "42501");
        }
    }

    private static String denied(PostgresAddress application, String sql) {
        try {
            Sql.execute(application, sql);
            return "allowed";
        } catch (java.sql.SQLException e) {
            return e.getSQLState();
        }
    }
}
