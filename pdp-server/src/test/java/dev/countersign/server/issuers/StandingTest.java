package dev.countersign.server.issuers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.identity.PersonName;
import dev.countersign.server.identity.Role;
import dev.countersign.server.live.Changes;
import dev.countersign.server.live.KeyEndedException;
import dev.countersign.server.live.LiveFeed;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.pgclient.PgBuilder;
import io.vertx.pgclient.PgConnectOptions;
import io.vertx.sqlclient.Pool;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A caller with a token changes nothing once the database says otherwise, whatever the server has heard. */
@ExtendWith(PostgresExtension.class)
class StandingTest {
    private static final Issuer.Terms TERMS = new Issuer.Terms(
            URI.create("https://i.example/jwks"), List.of("ES256"), "roles", Map.of("x", List.of(Role.DECIDE)));

    private final Vertx vertx = Vertx.vertx();
    private final AtomicLong ids = new AtomicLong();
    private PostgresAddress database;
    private Changes changes;
    private IssuerStore store;
    private UUID issuer;

    @BeforeEach
    void begin(PostgresAddress application, @AsOwner PostgresAddress owner) throws Exception {
        database = owner;
        Sql.execute(application, "insert into tenants (id, name) values ('acme', 'Acme')");
        Sql.execute(
                application,
                "insert into api_keys (id, tenant, name, hash, roles) values ('csk_a', 'acme', 'a', sha256('a'), '{admin}')");
        Pool pool = PgBuilder.pool()
                .connectingTo(new PgConnectOptions()
                        .setHost(application.host())
                        .setPort(application.port())
                        .setDatabase(application.database())
                        .setUser(application.user())
                        .setPassword(application.password()))
                .using(vertx)
                .build();
        var clock = Clock.systemUTC();
        changes = new Changes(pool, new LiveFeed(pool, clock, Duration.ofSeconds(1)), clock);
        store = new IssuerStore(pool, changes, () -> new UUID(1, ids.incrementAndGet()), clock);
        issuer = left(store.create("acme", "https://i.example", "aud", TERMS, "csk_a"))
                .id();
    }

    @AfterEach
    void end() throws Exception {
        done(vertx.close());
    }

    private static <T> T done(Future<T> future) throws Exception {
        return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private static <T> T left(Future<IssuerStore.Changed<T>> change) throws Exception {
        return ((IssuerStore.Changed.Done<T>) done(change)).left();
    }

    private Subject said(String sub, String person) throws Exception {
        return left(store.put("acme", issuer, sub, PersonName.of(person), true, "csk_a"));
    }

    private boolean stands(String sub, @Nullable UUID person) throws Exception {
        String by = Subject.caller(issuer, sub, person);
        return done(changes.act(by, connection -> Future.succeededFuture(true))
                .recover(failure -> failure instanceof KeyEndedException
                        ? Future.succeededFuture(false)
                        : Future.failedFuture(failure)));
    }

    @Test
    void aServiceStandsWhileItsIssuerIsNotDisabled() throws Exception {
        assertThat(stands("bot", null)).isTrue();
        left(store.update("acme", issuer, TERMS, true, "csk_a"));
        assertThat(stands("bot", null)).isFalse();
        left(store.update("acme", issuer, TERMS, false, "csk_a"));
        assertThat(stands("bot", null)).isTrue();
        left(store.delete("acme", issuer, "csk_a"));
        assertThat(stands("bot", null)).isFalse();
    }

    @Test
    void aPersonStandsWhileTheSubjectIsThatPerson() throws Exception {
        UUID ann = said("sub", "Ann").person().id();
        assertThat(stands("sub", ann)).isTrue();
        assertThat(stands("sub", null)).as("as the service that it was before").isFalse();
        assertThat(stands("other", ann)).isFalse();
        UUID ben = said("sub", "Ben").person().id();
        assertThat(stands("sub", ann)).isFalse();
        assertThat(stands("sub", ben)).isTrue();
        left(store.remove("acme", issuer, "sub", "csk_a"));
        assertThat(stands("sub", ben)).isFalse();
        assertThat(stands("sub", null)).isTrue();
    }

    @Test
    void nobodyOfASuspendedTenantStands() throws Exception {
        UUID ann = said("sub", "Ann").person().id();
        Sql.execute(database, "update tenants set suspended_at = now(), suspended_by = 'test'");
        assertThat(stands("bot", null)).isFalse();
        assertThat(stands("sub", ann)).isFalse();
        assertThat(done(store.load()).all()).isEmpty();
    }

    @Test
    void everyChangeIsHeardOf() throws Exception {
        String before = revision();
        said("sub", "Ann");
        String said = revision();
        assertThat(said).isNotEqualTo(before);
        Sql.execute(database, "update tenants set suspended_at = now(), suspended_by = 'test'");
        assertThat(revision()).isNotEqualTo(said);
    }

    private String revision() throws Exception {
        return Sql.query(database, "select revision from revisions where kind = 'issuers'");
    }
}
