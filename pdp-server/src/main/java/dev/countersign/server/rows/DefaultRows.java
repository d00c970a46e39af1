package dev.countersign.server.rows;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.countersign.rules.rows.PolicyRow;
import dev.countersign.rules.rows.RowLimits;
import dev.countersign.server.identity.Caller;
import io.vertx.core.AsyncResult;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives each user a copy of the tenant's default set, once, after the first decision that the set had a say in: a user who is
 * a registered entity, or who asked for itself. Ids that nobody knows write nothing. What is copied judges as the set did.
 */
public final class DefaultRows {
    private static final Logger LOG = LoggerFactory.getLogger(DefaultRows.class);
    /** How long a user is not looked at again who was unknown, or could not be given a copy. */
    private static final Duration AGAIN = Duration.ofMinutes(1);

    private static final int MOST_SEEN = 10_000;
    /** How many connections it may take, so that it never keeps others from theirs. */
    private static final int MOST_AT_ONCE = 2;

    private static final long LIMIT_SECONDS = 5;

    private record User(String tenant, String id) {}

    /** What came of a copy. */
    private enum Copied {
        DONE,
        BEFORE,
        UNKNOWN,
        FULL
    }

    private final Pool pool;
    private final Supplier<UUID> newId;
    private final InstantSource clock;
    private final Cache<User, Boolean> seen =
            Caffeine.newBuilder().maximumSize(MOST_SEEN).expireAfterWrite(AGAIN).build();

    private final Cache<String, Boolean> full =
            Caffeine.newBuilder().maximumSize(MOST_SEEN).expireAfterWrite(AGAIN).build();
    private final AtomicInteger running = new AtomicInteger();

    /** Copies in the database behind {@code pool}; {@code newId} draws their ids, {@code clock} dates them. */
    public DefaultRows(Pool pool, Supplier<UUID> newId, InstantSource clock) {
        this.pool = pool;
        this.newId = newId;
        this.clock = clock;
    }

    /** A decision was made for a user who has no rows yet; returns at once. */
    public void used(Caller caller, String user) {
        var who = new User(caller.inTenant(), user);
        if (seen.asMap().putIfAbsent(who, true) != null) {
            return;
        }
        boolean itself = caller.person() != null && caller.name().equals(user);
        if (running.incrementAndGet() > MOST_AT_ONCE) {
            // The next decision is another chance.
            running.decrementAndGet();
            seen.invalidate(who);
            return;
        }
        known(who, itself)
                .compose(known -> known
                        ? pool.withTransaction(connection -> copy(connection, who))
                        : Future.succeededFuture(Copied.UNKNOWN))
                .timeout(LIMIT_SECONDS, TimeUnit.SECONDS)
                .onComplete(copied -> {
                    running.decrementAndGet();
                    say(who, copied);
                });
    }

    private void say(User who, AsyncResult<Copied> copied) {
        if (copied.failed()) {
            seen.invalidate(who);
            LOG.warn("a user of the tenant `{}` could not be given the default policies", who.tenant(), copied.cause());
        } else if (copied.result() == Copied.FULL && full.asMap().putIfAbsent(who.tenant(), true) == null) {
            LOG.warn(
                    "the default policies of the tenant `{}` hold for more users than may have copies; for the others they"
                            + " go on as they are",
                    who.tenant());
        }
    }

    /** Asked before anything is locked: most ids may be of nobody. */
    private Future<Boolean> known(User who, boolean itself) {
        return itself
                ? Future.succeededFuture(true)
                : pool.preparedQuery("select 1 from entities where tenant = $1 and type = 'user' and id = $2")
                        .execute(Tuple.of(who.tenant(), who.id()))
                        .map(rows -> rows.size() > 0);
    }

    private Future<Copied> copy(SqlConnection connection, User who) {
        return connection
                .query("set local statement_timeout = '3s'")
                .execute()
                .compose(limited -> connection
                        .preparedQuery("select 1 from tenants where id = $1 for no key update")
                        .execute(Tuple.of(who.tenant())))
                .compose(alone -> first(connection, who));
    }

    private Future<Copied> first(SqlConnection connection, User who) {
        return RowStore.load(connection, new String[] {who.tenant()}).compose(all -> {
            List<PolicyRow> rows = all.getOrDefault(who.tenant(), List.of());
            boolean own = rows.stream()
                    .anyMatch(row ->
                            row.scope() == PolicyRow.Scope.USER && who.id().equals(row.scopeRef()));
            List<PolicyRow> copies = rows.stream()
                    .filter(PolicyRow::byDefault)
                    .map(row -> row.copiedFor(newId.get().toString(), who.id()))
                    .toList();
            if (own || copies.isEmpty()) {
                return Future.succeededFuture(Copied.BEFORE);
            }
            return fits(rows, copies) ? install(connection, who, copies) : Future.succeededFuture(Copied.FULL);
        });
    }

    private static boolean fits(List<PolicyRow> rows, List<PolicyRow> copies) {
        var all = new ArrayList<>(rows);
        long bytes = rows.stream().mapToLong(RowLimits::bytes).sum();
        for (PolicyRow copy : copies) {
            long alike = all.stream()
                    .filter(row ->
                            copy.pattern() ? row.pattern() : row.actionPattern().equals(copy.actionPattern()))
                    .count();
            if (RowLimits.exceeded(copy, new RowLimits.Others((int) alike, all.size(), bytes)) != null) {
                return false;
            }
            all.add(copy);
            bytes += RowLimits.bytes(copy);
        }
        return true;
    }

    private Future<Copied> install(SqlConnection connection, User who, List<PolicyRow> copies) {
        Instant at = Instant.ofEpochMilli(clock.millis());
        return connection
                .preparedQuery("insert into policy_users (tenant, user_id, installed_at) values ($1, $2, $3)"
                        + " on conflict do nothing")
                .execute(Tuple.of(who.tenant(), who.id(), at.atOffset(ZoneOffset.UTC)))
                .compose(inserted -> {
                    if (inserted.rowCount() == 0) {
                        return Future.succeededFuture(Copied.BEFORE);
                    }
                    Future<?> done = Future.succeededFuture();
                    for (PolicyRow copy : copies) {
                        done = done.compose(before -> RowStore.write(connection, copy, null, at, null));
                    }
                    return done.map(Copied.DONE);
                });
    }
}
