package dev.countersign.server.identity;

import dev.countersign.server.live.Changes;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The keys in PostgreSQL: those of each tenant, and those of the operator, whose tenant is {@code null}. */
public final class KeyStore {
    private static final String KEYS =
            "select k.id, k.tenant, k.name, k.roles, k.person_id, p.name as person, k.created_at,"
                    + " k.created_by, k.expires_at, k.revoked_at, k.revoked_by, k.replaces,"
                    + " k.life_seconds from api_keys k"
                    + " left join persons p on p.tenant = k.tenant and p.id = k.person_id"
                    + " where coalesce(k.tenant, '') = coalesce($1::text, '')";

    /** The most good keys of one plane: every server holds all keys of all tenants in memory. */
    public static final int MAX_GOOD = 1_000;

    /** Which keys are good at {@code $1}. */
    private static final String GOOD = "k.revoked_at is null and (k.expires_at is null or k.expires_at > $1)";

    /** The last second that RFC 3339 can write. */
    private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

    private final Pool pool;
    private final Changes changes;
    private final Supplier<UUID> ids;
    private final InstantSource clock;

    /**
     * The keys of the database behind {@code pool}.
     *
     * @param changes how they are changed
     * @param ids makes the ids of persons
     * @param clock dates the changes
     */
    public KeyStore(Pool pool, Changes changes, Supplier<UUID> ids, InstantSource clock) {
        this.pool = pool;
        this.changes = changes;
        this.ids = ids;
        this.clock = clock;
    }

    /** All keys that are good, of tenants that are not suspended. */
    public Future<KeyRing> load() {
        return pool.preparedQuery("select k.id, k.tenant, k.name, k.hash, k.roles, k.person_id, k.expires_at"
                        + " from api_keys k left join tenants t on t.id = k.tenant where t.suspended_at is null and "
                        + GOOD)
                .execute(Tuple.of(time(clock.instant())))
                .map(rows -> {
                    var byHash = new HashMap<ByteBuffer, Caller>();
                    for (Row row : rows) {
                        byHash.put(ByteBuffer.wrap(row.getBuffer("hash").getBytes()), caller(row));
                    }
                    return new KeyRing(java.util.Map.copyOf(byHash));
                });
    }

    private static Caller caller(Row row) {
        return new Caller(
                row.getString("id"),
                row.getString("name"),
                row.getString("tenant"),
                Set.copyOf(roles(row)),
                row.getUUID("person_id"),
                instant(row, "expires_at"));
    }

    private static List<Role> roles(Row row) {
        return Arrays.stream(row.getArrayOfStrings("roles"))
                .flatMap(word -> Role.of(word).stream())
                .toList();
    }

    /**
     * A key to be stored.
     *
     * @param key the key
     * @param name what it is called
     * @param tenant its tenant, which exists; {@code null} for the operator's
     * @param roles what it may do
     * @param person the person whose key it is, who is made if the tenant has nobody of that name; {@code null} for a
     *     service's
     * @param expires from when on it is not good; {@code null} for never
     * @param by the visible prefix of the key that makes it; {@code null} for a first start
     */
    public record NewKey(
            ApiKey key,
            String name,
            @Nullable String tenant,
            List<Role> roles,
            @Nullable PersonName person,
            @Nullable Instant expires,
            @Nullable String by) {}

    /** What came of a change to one key. */
    public sealed interface Changed {
        /** It is committed, and this is the key that the change made or left. */
        record Done(StoredKey key) implements Changed {}

        /** Nothing was changed. */
        enum Refused implements Changed {
            /** There is no such key in this plane. */
            UNKNOWN,
            /** It is expired or revoked. */
            ENDED,
            /** Another one has come in its place already. */
            REPLACED,
            /** The plane has {@link #MAX_GOOD} good keys. */
            FULL,
            /** Nobody else could manage this plane's keys any more. */
            LAST
        }
    }

    /**
     * Makes a tenant with these keys, all or nothing, unless the database holds any key: then nothing happens and the
     * answer is false. Safe when two servers start at once.
     */
    public Future<Boolean> found(String tenant, List<NewKey> keys) {
        return pool.withTransaction(connection -> connection
                .query("select pg_advisory_xact_lock(hashtext('countersign first start'))")
                .execute()
                .compose(locked ->
                        connection.query("select 1 from api_keys limit 1").execute())
                .compose(any -> any.size() > 0 ? Future.succeededFuture(false) : first(connection, tenant, keys)));
    }

    private Future<Boolean> first(SqlConnection connection, String tenant, List<NewKey> keys) {
        Future<?> done = connection
                .preparedQuery("insert into tenants (id, name) values ($1, $1) on conflict do nothing")
                .execute(Tuple.of(tenant));
        for (NewKey key : keys) {
            done = done.compose(previous -> insert(connection, key));
        }
        return done.map(true);
    }

    /** The keys of a plane, by id, from the one after {@code after} on; expired and revoked ones too. */
    public Future<List<StoredKey>> list(@Nullable String tenant, @Nullable String after, int limit) {
        return pool.preparedQuery(KEYS + " and k.id > $2 order by k.id limit $3")
                .execute(Tuple.of(tenant, after == null ? "" : after, limit))
                .map(rows -> {
                    var keys = new ArrayList<StoredKey>(rows.size());
                    rows.forEach(row -> keys.add(stored(row)));
                    return keys;
                });
    }

    /** Whether there is any key at all, good or not. */
    public Future<Boolean> any() {
        return pool.query("select 1 from api_keys limit 1").execute().map(rows -> rows.size() > 0);
    }

    /** The good keys that a first start made, which stand in a file: by id. */
    public Future<List<String>> ofFirstStart() {
        return pool.preparedQuery(
                        "select k.id from api_keys k where k.created_by is null and " + GOOD + " order by k.id")
                .execute(Tuple.of(time(clock.instant())))
                .map(rows -> {
                    var found = new ArrayList<String>();
                    rows.forEach(row -> found.add(row.getString("id")));
                    return found;
                });
    }

    /** A key of a plane, or {@code null}. */
    public Future<@Nullable StoredKey> find(@Nullable String tenant, String id) {
        return pool.withConnection(connection -> find(connection, tenant, id));
    }

    private static Future<@Nullable StoredKey> find(SqlConnection connection, @Nullable String tenant, String id) {
        return connection
                .preparedQuery(KEYS + " and k.id = $2")
                .execute(Tuple.of(tenant, id))
                .map(rows -> rows.size() == 0 ? null : stored(rows.iterator().next()));
    }

    /** Stores a key that a key of the same plane asks for. */
    public Future<Changed> create(NewKey key, String by) {
        return changes.give(
                key.tenant(),
                by,
                connection -> good(connection, key.tenant())
                        .compose(good -> good >= MAX_GOOD
                                ? Future.<Changed>succeededFuture(Changed.Refused.FULL)
                                : insert(connection, key).map(Changed.Done::new)));
    }

    private Future<Long> good(SqlConnection connection, @Nullable String tenant) {
        return connection
                .preparedQuery(
                        "select count(*) from api_keys k where coalesce(k.tenant, '') = coalesce($2::text, '') and "
                                + GOOD)
                .execute(Tuple.of(time(clock.instant()), tenant))
                .map(rows -> rows.iterator().next().getLong(0));
    }

    /**
     * Makes a key like another one, which stays good for {@code overlap} at most. If the other one was made to expire, so is
     * the new one, after as long a life.
     */
    public Future<Changed> rotate(@Nullable String tenant, String id, ApiKey next, Duration overlap, String by) {
        return changes.give(
                tenant,
                by,
                connection -> find(connection, tenant, id)
                        .compose(old -> refusal(connection, old, overlap).compose(refused -> {
                            if (old == null || refused != null) {
                                return Future.<Changed>succeededFuture(refused);
                            }
                            return succeed(connection, old, next, by)
                                    .compose(made ->
                                            end(connection, old, overlap, by).map(new Changed.Done(made)));
                        })));
    }

    private Future<Changed.@Nullable Refused> refusal(
            SqlConnection connection, @Nullable StoredKey old, Duration overlap) {
        if (old == null || old.state(clock.instant()) != StoredKey.State.GOOD) {
            return Future.succeededFuture(old == null ? Changed.Refused.UNKNOWN : Changed.Refused.ENDED);
        }
        return connection
                .preparedQuery("select 1 from api_keys where replaces = $1 and revoked_at is null limit 1")
                .execute(Tuple.of(old.id()))
                .compose(successors -> {
                    if (successors.size() > 0) {
                        return Future.succeededFuture(Changed.Refused.REPLACED);
                    }
                    // If the answer were lost, so would be the plane: then the old key has to be good still.
                    return (overlap.isZero() ? last(connection, old) : Future.succeededFuture(false))
                            .map(last -> last ? Changed.Refused.LAST : null);
                });
    }

    private Future<StoredKey> succeed(SqlConnection connection, StoredKey old, ApiKey next, String by) {
        Instant expires = old.life() == null ? null : earlier(clock.instant().plus(old.life()), LATEST);
        var made = new NewKey(next, old.name(), old.tenant(), old.roles(), null, expires, by);
        StoredKey.Person person = old.person();
        return insert(connection, made, person == null ? null : person.id(), old);
    }

    private static Instant earlier(Instant one, Instant other) {
        return one.isBefore(other) ? one : other;
    }

    /** No clock of another server is asked where nothing is to overlap. */
    private Future<?> end(SqlConnection connection, StoredKey old, Duration overlap, String by) {
        Instant now = clock.instant();
        return overlap.isZero()
                ? connection
                        .preparedQuery("update api_keys set revoked_at = $2, revoked_by = $3 where id = $1")
                        .execute(Tuple.of(old.id(), time(now), by))
                : connection
                        .preparedQuery("update api_keys set expires_at = least(expires_at, $2) where id = $1")
                        .execute(Tuple.of(old.id(), time(now.plus(overlap))));
    }

    /** Ends a key, now and for ever. One that was revoked before stays as it is. */
    public Future<Changed> revoke(@Nullable String tenant, String id, String by) {
        return changes.make(
                tenant,
                by,
                connection -> find(connection, tenant, id).compose(key -> {
                    if (key == null || key.state(clock.instant()) == StoredKey.State.REVOKED) {
                        return Future.succeededFuture(key == null ? Changed.Refused.UNKNOWN : new Changed.Done(key));
                    }
                    return last(connection, key)
                            .compose(last -> last
                                    ? Future.succeededFuture(Changed.Refused.LAST)
                                    : end(connection, key, Duration.ZERO, by)
                                            .compose(ended -> find(connection, tenant, id))
                                            .map(ended -> new Changed.Done(Objects.requireNonNull(ended))));
                }));
    }

    /** Whether no other good key that may manage the plane's keys lasts as long as this one. */
    private Future<Boolean> last(SqlConnection connection, StoredKey key) {
        Role manages = key.tenant() == null ? Role.OPERATOR : Role.ADMIN;
        Instant now = clock.instant();
        if (!key.roles().contains(manages) || key.state(now) != StoredKey.State.GOOD) {
            return Future.succeededFuture(false);
        }
        return connection
                .preparedQuery(
                        "select 1 from api_keys where coalesce(tenant, '') = coalesce($1::text, '') and id <> $2"
                                + " and $3 = any(roles) and revoked_at is null and (expires_at is null or expires_at >= $4) limit 1")
                .execute(Tuple.of(
                        key.tenant(),
                        key.id(),
                        manages.word(),
                        time(key.expiresAt() == null ? LATEST : key.expiresAt())))
                .map(others -> others.size() == 0);
    }

    /** Stores a key in a transaction of the caller's. */
    Future<StoredKey> insert(SqlConnection connection, NewKey key) {
        return person(connection, key).compose(person -> insert(connection, key, person, null));
    }

    private Future<StoredKey> insert(
            SqlConnection connection, NewKey key, @Nullable UUID person, @Nullable StoredKey replaces) {
        Instant now = clock.instant();
        String[] roles = key.roles().stream().map(Role::word).toArray(String[]::new);
        Duration life = replaces != null
                ? replaces.life()
                : key.expires() == null ? null : Duration.between(now, key.expires());
        var values = Tuple.tuple()
                .addString(key.key().id())
                .addString(key.tenant())
                .addString(key.name())
                .addBuffer(Buffer.buffer(key.key().hash()))
                .addArrayOfString(roles)
                .addUUID(person)
                .addOffsetDateTime(time(now))
                .addString(key.by())
                .addOffsetDateTime(key.expires() == null ? null : time(key.expires()))
                .addLong(life == null ? null : life.toSeconds())
                .addString(replaces == null ? null : replaces.id());
        return connection
                .preparedQuery("insert into api_keys (id, tenant, name, hash, roles, person_id, created_at, created_by,"
                        + " expires_at, life_seconds, replaces) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
                .execute(values)
                .compose(done -> find(connection, key.tenant(), key.key().id()))
                .map(Objects::requireNonNull);
    }

    private Future<@Nullable UUID> person(SqlConnection connection, NewKey key) {
        PersonName name = key.person();
        if (name == null) {
            return Future.succeededFuture();
        }
        return connection
                .preparedQuery("insert into persons (id, tenant, name, folded) values ($1, $2, $3, $4)"
                        + " on conflict (tenant, folded) do update set name = persons.name returning id")
                .execute(Tuple.of(ids.get(), key.tenant(), name.shown(), name.folded()))
                .map(rows -> rows.iterator().next().getUUID("id"));
    }

    private static StoredKey stored(Row row) {
        UUID person = row.getUUID("person_id");
        return new StoredKey(
                row.getString("id"),
                row.getString("tenant"),
                row.getString("name"),
                roles(row),
                person == null ? null : new StoredKey.Person(person, row.getString("person")),
                Objects.requireNonNull(instant(row, "created_at")),
                row.getString("created_by"),
                instant(row, "expires_at"),
                instant(row, "revoked_at"),
                row.getString("revoked_by"),
                row.getString("replaces"),
                row.getLong("life_seconds") == null ? null : Duration.ofSeconds(row.getLong("life_seconds")));
    }

    private static @Nullable Instant instant(Row row, String column) {
        OffsetDateTime time = row.getOffsetDateTime(column);
        return time == null ? null : time.toInstant();
    }

    private static OffsetDateTime time(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
