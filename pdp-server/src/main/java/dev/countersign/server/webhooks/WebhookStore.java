package dev.countersign.server.webhooks;

import dev.countersign.server.live.Changes;
import dev.countersign.server.secrets.SecretBox;
import dev.countersign.server.secrets.Secrets;
import dev.countersign.server.webhooks.WebhookTerms.Format;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The webhooks of tenants and their deliveries, in PostgreSQL. No query is without its tenant, and no list holds a secret.
 * Whoever changes something is named by the visible prefix of a key, {@code by}; if that is good no more when it is written,
 * nothing is, and the future fails with a {@link dev.countersign.server.live.KeyEndedException}.
 */
public final class WebhookStore {
    /** The most webhooks of one tenant. */
    public static final int MAX_OF_TENANT = 20;

    /** How long the secret before a rotation signs too. */
    public static final Duration OVERLAP = Duration.ofHours(24);

    private static final String COLUMNS =
            "id, url, format, event_types, previous_until, created_at, created_by, disabled_at, disabled_by";
    private static final String DELIVERY =
            "webhook, event, event_id, event_type, status, attempts, next_at, last_status,"
                    + " last_error, created_at, last_at, ended_at";
    private static final String AGAIN = "update webhook_deliveries set status = 'waiting', attempts = 0, next_at = $3,"
            + " leased_until = null, ended_at = null where tenant = $1 and webhook = $2";
    /** What is being sent at the moment is not touched: its outcome comes. */
    private static final String ONE_AGAIN = AGAIN + " and (leased_until is null or leased_until <= $3) and event = $4";
    /** What ends while this goes on has been delivered again already. */
    private static final String ALL_AGAIN = AGAIN + " and ctid = any(array(select ctid from webhook_deliveries"
            + " where tenant = $1 and webhook = $2 and status <> 'waiting' and ended_at <= $3 and created_at >= $4"
            + " limit $5 for update))";

    private static final String EMPTY = "delete from webhook_deliveries where tenant = $1 and webhook = $2 and ctid ="
            + " any(array(select ctid from webhook_deliveries where tenant = $1 and webhook = $2 limit $3 for update))";

    private static final Logger LOG = LoggerFactory.getLogger(WebhookStore.class);
    private static final int SAID = 20;

    private final Pool pool;
    private final SecretBox secrets;
    private final Changes changes;
    private final Supplier<UUID> ids;
    private final RandomGenerator random;
    private final InstantSource clock;

    /**
     * The webhooks of the database behind {@code pool}.
     *
     * @param secrets encrypts what signs
     * @param changes makes the transactions of whoever changes something
     * @param random makes the secrets, so it must be one that nobody can guess
     */
    public WebhookStore(
            Pool pool,
            SecretBox secrets,
            Changes changes,
            Supplier<UUID> ids,
            RandomGenerator random,
            InstantSource clock) {
        this.pool = pool;
        this.secrets = secrets;
        this.changes = changes;
        this.ids = ids;
        this.random = random;
        this.clock = clock;
    }

    /**
     * A webhook, or a secret of it, that was just made.
     *
     * @param secret what the receiver verifies with; it cannot be had again
     */
    public record Made(UUID id, String secret) {
        @Override
        public String toString() {
            return "Made[id=" + id + "]";
        }
    }

    /**
     * Makes a webhook, which is told of the events from now on.
     *
     * @return {@code null} if the tenant has {@link #MAX_OF_TENANT}
     */
    public Future<@Nullable Made> create(String tenant, WebhookTerms terms, String by) {
        var made = new Made(ids.get(), Secret.random(random).text());
        return changes.act(
                by,
                connection -> count(connection, tenant).compose(count -> {
                    if (count >= MAX_OF_TENANT) {
                        return Future.succeededFuture((Made) null);
                    }
                    return connection
                            .preparedQuery(
                                    "insert into webhooks (tenant, id, url, format, event_types, secret, seen, created_at,"
                                            + " created_by) select $1, $2, $3, $4, $5, $6,"
                                            + " coalesce((select max(number) from events where tenant = $1), 0), $7, $8")
                            .execute(Tuple.of(
                                    tenant,
                                    made.id(),
                                    terms.url().toString(),
                                    terms.format().word(),
                                    terms.eventTypes().toArray(String[]::new),
                                    sealed(tenant, made),
                                    now(),
                                    by))
                            .map(inserted -> made);
                }));
    }

    private static Future<Long> count(SqlConnection connection, String tenant) {
        return connection
                .preparedQuery("select pg_advisory_xact_lock(hashtextextended('countersign webhooks ' || $1, 0))")
                .execute(Tuple.of(tenant))
                .compose(locked -> connection
                        .preparedQuery("select count(*) from webhooks where tenant = $1")
                        .execute(Tuple.of(tenant)))
                .map(rows -> rows.iterator().next().getLong(0));
    }

    /** All webhooks of a tenant, by id. */
    public Future<List<Webhook>> list(String tenant) {
        return pool.preparedQuery("select " + COLUMNS + " from webhooks where tenant = $1 order by id")
                .execute(Tuple.of(tenant))
                .map(rows -> {
                    var found = new ArrayList<Webhook>(rows.size());
                    rows.forEach(row -> found.add(webhook(row)));
                    return found;
                });
    }

    /** One webhook, or {@code null} if the tenant has none of this id. */
    public Future<@Nullable Webhook> find(String tenant, UUID id) {
        return pool.withConnection(connection -> one(
                connection,
                "select " + COLUMNS + " from webhooks where tenant = $1 and id = $2",
                Tuple.of(tenant, id)));
    }

    /**
     * Gives a webhook other terms; what is queued already goes to the new URL.
     *
     * @return the webhook as it is now; {@code null} if the tenant has none of this id
     */
    public Future<@Nullable Webhook> change(String tenant, UUID id, WebhookTerms terms, String by) {
        return changed(
                by,
                "update webhooks set url = $3, format = $4, event_types = $5 where tenant = $1 and id = $2 returning "
                        + COLUMNS,
                Tuple.of(
                        tenant,
                        id,
                        terms.url().toString(),
                        terms.format().word(),
                        terms.eventTypes().toArray(String[]::new)));
    }

    /**
     * Gives a webhook another secret. For {@link #OVERLAP} the one before signs too, so that receivers can follow.
     *
     * @return {@code null} if the tenant has none of this id
     */
    public Future<@Nullable Made> rotate(String tenant, UUID id, String by) {
        var made = new Made(id, Secret.random(random).text());
        return changes.act(
                by,
                connection -> connection
                        .preparedQuery("update webhooks set previous_secret = secret, previous_until = $3, secret = $4"
                                + " where tenant = $1 and id = $2")
                        .execute(Tuple.of(tenant, id, now().plus(OVERLAP), sealed(tenant, made)))
                        .map(done -> done.rowCount() == 0 ? null : made));
    }

    /**
     * Has a webhook told of nothing until it is enabled. Its queue and its place among the events are kept.
     *
     * @return the webhook as it is now; {@code null} if the tenant has none of this id
     */
    public Future<@Nullable Webhook> disable(String tenant, UUID id, String by) {
        return changed(
                by,
                "update webhooks set disabled_at = coalesce(disabled_at, $3), disabled_by = coalesce(disabled_by, $4)"
                        + " where tenant = $1 and id = $2 returning " + COLUMNS,
                Tuple.of(tenant, id, now(), by));
    }

    /**
     * Has a webhook told again, first of what happened while it was disabled.
     *
     * @return the webhook as it is now; {@code null} if the tenant has none of this id
     */
    public Future<@Nullable Webhook> enable(String tenant, UUID id, String by) {
        return changed(
                by,
                "update webhooks set disabled_at = null, disabled_by = null where tenant = $1 and id = $2 returning "
                        + COLUMNS,
                Tuple.of(tenant, id));
    }

    /**
     * Disables a webhook, and deletes it after all of its deliveries, which may be many and go in steps. What waits for it is told
     * to nobody, which the log says of callbacks.
     *
     * @return the webhook as it was last; {@code null} if the tenant has none of this id
     */
    public Future<@Nullable Webhook> delete(String tenant, UUID id, String by) {
        return disable(tenant, id, by)
                .compose(disabled -> disabled == null
                        ? Future.succeededFuture(null)
                        : changes.act(by, connection -> Callbacks.drop(connection, tenant, id))
                                .onSuccess(dropped -> say(tenant, id, dropped))
                                .compose(dropped -> Steps.all(() -> rows(by, EMPTY, Tuple.of(tenant, id, Steps.ROWS))))
                                .compose(emptied -> changes.act(by, connection -> deleted(connection, tenant, id)))
                                .map(deleted -> deleted == 0 ? null : disabled));
    }

    /** Deletes it, and the callbacks of those who had found it before it was disabled. */
    private static Future<Integer> deleted(SqlConnection connection, String tenant, UUID id) {
        return connection
                .preparedQuery("delete from webhooks where tenant = $1 and id = $2")
                .execute(Tuple.of(tenant, id))
                .compose(deleted -> Callbacks.drop(connection, tenant, id)
                        .onSuccess(dropped -> say(tenant, id, dropped))
                        .map(deleted.rowCount()));
    }

    private static void say(String tenant, UUID id, List<UUID> dropped) {
        if (!dropped.isEmpty()) {
            LOG.warn(
                    "webhook {} of {} is deleted: nobody is called back about {} tasks, among them {}",
                    id,
                    tenant,
                    dropped.size(),
                    dropped.stream().limit(SAID).toList());
        }
    }

    /**
     * The deliveries of a webhook, the newest event first.
     *
     * @param status only those that stand there, unless it is {@code null}
     * @param before only those of events before this number; {@link Long#MAX_VALUE} for all
     */
    public Future<List<Delivery>> deliveries(
            String tenant, UUID webhook, Delivery.@Nullable Status status, long before, int limit) {
        return pool.preparedQuery("select " + DELIVERY + " from webhook_deliveries where tenant = $1 and webhook = $2"
                        + " and ($3::text is null or status = $3) and event < $4 order by event desc limit $5")
                .execute(Tuple.of(tenant, webhook, status == null ? null : status.word(), before, limit))
                .map(rows -> {
                    var found = new ArrayList<Delivery>(rows.size());
                    rows.forEach(row -> found.add(delivery(row)));
                    return found;
                });
    }

    /**
     * Has one event delivered again, with the same {@code webhook-id}, and with as many attempts as a new one.
     *
     * @param event the event's number
     * @return how many are queued by this: 1, or 0 if there is no such delivery or it is being sent at the moment
     */
    public Future<Integer> replay(String tenant, UUID webhook, long event, String by) {
        return rows(by, ONE_AGAIN, Tuple.of(tenant, webhook, now(), event));
    }

    /**
     * Has delivered again, with the same {@code webhook-id}s, what was delivered or given up and was queued at
     * {@code since} or later.
     *
     * @return how many are queued by this
     */
    public Future<Integer> replay(String tenant, UUID webhook, Instant since, String by) {
        Tuple values = Tuple.of(tenant, webhook, now(), since.atOffset(ZoneOffset.UTC), Steps.ROWS);
        return Steps.all(() -> rows(by, ALL_AGAIN, values));
    }

    private Future<Integer> rows(String by, String sql, Tuple values) {
        return changes.act(
                by, connection -> connection.preparedQuery(sql).execute(values).map(RowSet::rowCount));
    }

    private String sealed(String tenant, Made made) {
        return secrets.seal(made.secret(), Secrets.ofWebhook(tenant, made.id().toString()));
    }

    private OffsetDateTime now() {
        return clock.instant().truncatedTo(ChronoUnit.MILLIS).atOffset(ZoneOffset.UTC);
    }

    private Future<@Nullable Webhook> changed(String by, String sql, Tuple values) {
        return changes.act(by, connection -> one(connection, sql, values));
    }

    private static Future<@Nullable Webhook> one(SqlConnection connection, String sql, Tuple values) {
        return connection
                .preparedQuery(sql)
                .execute(values)
                .map(rows -> rows.size() == 0 ? null : webhook(rows.iterator().next()));
    }

    private static Webhook webhook(Row row) {
        Format format = Format.valueOf(row.getString("format").toUpperCase(Locale.ROOT));
        URI url = URI.create(row.getString("url"));
        String path = format == Format.SLACK ? "/..." : url.getRawPath();
        return new Webhook(
                row.getUUID("id"),
                url.getScheme() + "://" + url.getHost() + (url.getPort() < 0 ? "" : ":" + url.getPort()) + path,
                format,
                List.of(row.getArrayOfStrings("event_types")),
                instant(row, "previous_until"),
                row.getOffsetDateTime("created_at").toInstant(),
                row.getString("created_by"),
                instant(row, "disabled_at"),
                row.getString("disabled_by"));
    }

    private static Delivery delivery(Row row) {
        return new Delivery(
                row.getUUID("webhook"),
                row.getLong("event"),
                row.getUUID("event_id"),
                row.getString("event_type"),
                Delivery.Status.valueOf(row.getString("status").toUpperCase(Locale.ROOT)),
                row.getInteger("attempts"),
                row.getOffsetDateTime("next_at").toInstant(),
                row.getInteger("last_status"),
                row.getString("last_error"),
                row.getOffsetDateTime("created_at").toInstant(),
                instant(row, "last_at"),
                instant(row, "ended_at"));
    }

    private static @Nullable Instant instant(Row row, String column) {
        OffsetDateTime time = row.getOffsetDateTime(column);
        return time == null ? null : time.toInstant();
    }
}
