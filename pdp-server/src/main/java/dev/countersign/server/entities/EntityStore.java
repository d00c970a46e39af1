package dev.countersign.server.entities;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.entities.EntityData;
import dev.countersign.rules.entities.PackEntities;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.server.live.Changes;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import io.vertx.sqlclient.SqlClient;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.LongPredicate;
import org.jspecify.annotations.Nullable;

/** The entities in PostgreSQL. No query is without its tenant. */
public final class EntityStore {
    private static final ObjectMapper JSON = JsonMapper.builder().build();
    private static final String COLUMNS =
            "e.type, e.id, e.attributes, e.roles, e.groups, e.owner, e.delegates, e.version, e.updated_at, e.updated_by";
    /** What is the same already stays as it is, and keeps its version. */
    private static final String UPSERT = "insert into entities as e"
            + " (tenant, type, id, attributes, roles, groups, owner, delegates, version, updated_at, updated_by)"
            + " select $1, k.type, k.id, k.attributes, r.roles, r.groups, r.owner, r.delegates, 0, $6, $7"
            + " from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as k (type, id, attributes, relations),"
            + " jsonb_to_record(k.relations::jsonb) as r (roles text[], groups text[], owner text, delegates text[])"
            + " on conflict (tenant, type, id) do update set attributes = excluded.attributes, roles = excluded.roles,"
            + " groups = excluded.groups, owner = excluded.owner, delegates = excluded.delegates,"
            + " updated_at = excluded.updated_at, updated_by = excluded.updated_by"
            + " where (e.attributes, e.roles, e.groups, e.owner, e.delegates) is distinct from"
            + " (excluded.attributes, excluded.roles, excluded.groups, excluded.owner, excluded.delegates)";

    private final Pool pool;
    private final Changes changes;
    private final InstantSource clock;
    private final Function<String, Future<PackEntities>> beneath;

    /**
     * The entities of the database behind {@code pool}.
     *
     * @param changes changes them
     * @param clock dates them
     * @param beneath what packs say of a tenant's entities, beneath its own
     */
    public EntityStore(
            Pool pool, Changes changes, InstantSource clock, Function<String, Future<PackEntities>> beneath) {
        this.beneath = beneath;
        this.pool = pool;
        this.changes = changes;
        this.clock = clock;
    }

    /** What came of a write. */
    public sealed interface Written {
        /** It is committed: {@code before} is what was there, {@code now} what is. */
        record Done(@Nullable StoredEntity before, @Nullable StoredEntity now) implements Written {}

        /** The entity was at another version, 0 for none, and nothing was changed. */
        record Stale(long version) implements Written {}

        /** It would have changed relations, which this caller may not; nothing was changed. */
        enum Refused implements Written {
            /** The only one. */
            RELATIONS
        }
    }

    /** An entity of a tenant, or {@code null}. */
    public Future<@Nullable StoredEntity> find(String tenant, EntityKey key) {
        return find(pool, tenant, Set.of(key)).map(found -> found.get(key));
    }

    private static Future<Map<EntityKey, StoredEntity>> find(
            SqlClient client, String tenant, Collection<EntityKey> keys) {
        return client.preparedQuery("select " + COLUMNS + " from unnest($2::text[], $3::text[]) as k (type, id)"
                        + " join entities e on e.tenant = $1 and e.type = k.type and e.id = k.id")
                .execute(Tuple.of(tenant, column(keys, EntityKey::type), column(keys, EntityKey::id)))
                .map(rows -> {
                    var found = new HashMap<EntityKey, StoredEntity>();
                    for (Row row : rows) {
                        StoredEntity entity = stored(row);
                        found.put(entity.key(), entity);
                    }
                    return found;
                });
    }

    /** The first {@code limit} of a tenant's entities of a type, by id, from the one after {@code after} on. */
    public Future<List<StoredEntity>> list(String tenant, String type, String after, int limit) {
        return pool.preparedQuery("select " + COLUMNS
                        + " from entities e where e.tenant = $1 and e.type = $2 and e.id > $3 order by e.id limit $4")
                .execute(Tuple.of(tenant, type, after, limit))
                .map(EntityStore::all);
    }

    /**
     * Some entities, as they stood together at one revision.
     *
     * @param revision every change up to this one is in them
     * @param found those that there are
     */
    record Snapshot(long revision, Map<EntityKey, StoredEntity> found) {}

    /** These entities of a tenant, in one look. */
    Future<Snapshot> snapshot(String tenant, Collection<EntityKey> keys) {
        return pool.preparedQuery("select r.revision, " + COLUMNS + " from revisions r"
                        + " left join (unnest($2::text[], $3::text[]) as k (type, id)"
                        + " join entities e on e.tenant = $1 and e.type = k.type and e.id = k.id) on true"
                        + " where r.kind = 'entities'")
                .execute(Tuple.of(tenant, column(keys, EntityKey::type), column(keys, EntityKey::id)))
                .map(rows -> {
                    long revision = 0;
                    var found = new HashMap<EntityKey, StoredEntity>();
                    for (Row row : rows) {
                        revision = row.getLong("revision");
                        if (row.getString("type") != null) {
                            StoredEntity entity = stored(row);
                            found.put(entity.key(), entity);
                        }
                    }
                    return new Snapshot(revision, found);
                });
    }

    /**
     * What was changed since a revision.
     *
     * @param revision the one that it leads to
     * @param all whether everything may have been
     * @param tenants the tenants of which anything may have been
     * @param entities other entities, by tenant
     */
    record Changed(long revision, boolean all, Set<String> tenants, Map<String, Set<EntityKey>> entities) {}

    /** What was changed after revision {@code known}. */
    Future<Changed> changedSince(long known) {
        return pool.preparedQuery("select r.revision, c.revision as changed, c.tenant, c.type, c.id from revisions r"
                        + " left join entity_changes c on c.revision > $1 and c.revision <= r.revision"
                        + " where r.kind = 'entities'")
                .execute(Tuple.of(known))
                .map(rows -> changed(rows, known));
    }

    private static Changed changed(RowSet<Row> rows, long known) {
        long revision = known;
        boolean all = false;
        var tenants = new HashSet<String>();
        var entities = new HashMap<String, Set<EntityKey>>();
        for (Row row : rows) {
            revision = row.getLong("revision");
            String tenant = row.getString("tenant");
            if (row.getLong("changed") == null) {
                continue;
            }
            if (tenant == null) {
                all = true;
            } else if (row.getString("type") == null) {
                tenants.add(tenant);
            } else {
                entities.computeIfAbsent(tenant, none -> new HashSet<>())
                        .add(new EntityKey(row.getString("type"), row.getString("id")));
            }
        }
        // Older changes than that are not kept; and a database may be put back to an older state.
        boolean lost = known < revision - 10_000 || revision < known;
        return new Changed(revision, all || lost, tenants, entities);
    }

    /**
     * Puts an entity in the place of what there is.
     *
     * @param relations whether the caller may change relations
     * @param by the visible prefix of the key that changes it
     * @param precondition whether the version at hand, 0 for none, may be changed
     * @return done when the change is committed and this server judges by it; failed if either is not sure
     */
    public Future<Written> put(
            String tenant, EntityKey key, EntityData data, boolean relations, String by, LongPredicate precondition) {
        return write(tenant, key, by, precondition, (connection, before, carried) -> {
            EntityData there = before == null ? carried : before.data();
            return !relations && !sameRelations(there, data)
                    ? Future.succeededFuture(Written.Refused.RELATIONS)
                    : upsert(connection, tenant, Map.of(key, data), by)
                            .compose(done -> find(connection, tenant, Set.of(key)))
                            .map(now -> new Written.Done(before, now.get(key)));
        });
    }

    /** Takes an entity away; done without it if there is none. See {@link #put}. */
    public Future<Written> delete(
            String tenant, EntityKey key, boolean relations, String by, LongPredicate precondition) {
        return write(tenant, key, by, precondition, (connection, before, carried) -> {
            if (before == null) {
                return Future.succeededFuture(new Written.Done(null, null));
            }
            return !relations && !sameRelations(before.data(), carried)
                    ? Future.succeededFuture(Written.Refused.RELATIONS)
                    : connection
                            .preparedQuery("delete from entities where tenant = $1 and type = $2 and id = $3")
                            .execute(Tuple.of(tenant, key.type(), key.id()))
                            .map(gone -> new Written.Done(before, null));
        });
    }

    private interface Write {
        /** @param carried what a pack says of the entity, beneath the tenant's own */
        Future<Written> with(SqlConnection connection, @Nullable StoredEntity before, @Nullable EntityData carried);
    }

    private Future<Written> write(String tenant, EntityKey key, String by, LongPredicate precondition, Write write) {
        return changes.make(
                tenant,
                by,
                connection -> beneath.apply(tenant)
                        .compose(packs -> find(connection, tenant, Set.of(key)).compose(found -> {
                            StoredEntity before = found.get(key);
                            long version = before == null ? 0 : before.version();
                            return precondition.test(version)
                                    ? write.with(connection, before, carried(packs, key))
                                    : Future.succeededFuture(new Written.Stale(version));
                        })));
    }

    private static @Nullable EntityData carried(PackEntities packs, EntityKey key) {
        PackEntities.Carried carried = packs.carried(key);
        return carried == null ? null : carried.data();
    }

    /** Whether rules find the same relations in both; an entity that is not there has none. */
    private static boolean sameRelations(@Nullable EntityData one, @Nullable EntityData other) {
        if (one == null || other == null) {
            return (one == null || !one.related()) && (other == null || !other.related());
        }
        return one.sameRelations(other);
    }

    /**
     * Puts many entities in the place of what there is, in one transaction.
     *
     * @param relations whether the caller may change relations; if not, entities whose relations would change stay
     * @return those that stayed for that reason, when the rest is committed; failed if that is not sure
     */
    Future<Set<EntityKey>> putAll(String tenant, Map<EntityKey, EntityData> data, boolean relations, String by) {
        return changes.make(tenant, by, connection -> {
            if (relations) {
                return upsert(connection, tenant, data, by).map(Set.of());
            }
            return beneath.apply(tenant)
                    .compose(packs -> find(connection, tenant, data.keySet()).compose(found -> {
                        var refused = new LinkedHashSet<EntityKey>();
                        var rest = new HashMap<EntityKey, EntityData>();
                        data.forEach((key, wanted) -> {
                            StoredEntity before = found.get(key);
                            if (sameRelations(before == null ? carried(packs, key) : before.data(), wanted)) {
                                rest.put(key, wanted);
                            } else {
                                refused.add(key);
                            }
                        });
                        return rest.isEmpty()
                                ? Future.succeededFuture(refused)
                                : upsert(connection, tenant, rest, by).map(refused);
                    }));
        });
    }

    private Future<?> upsert(SqlConnection connection, String tenant, Map<EntityKey, EntityData> data, String by) {
        var entries = List.copyOf(data.entrySet());
        return connection
                .preparedQuery(UPSERT)
                .execute(Tuple.tuple()
                        .addString(tenant)
                        .addArrayOfString(
                                column(entries, entry -> entry.getKey().type()))
                        .addArrayOfString(
                                column(entries, entry -> entry.getKey().id()))
                        .addArrayOfString(column(
                                entries, entry -> entry.getValue().attributes().toString()))
                        .addArrayOfString(column(
                                entries, entry -> entry.getValue().relations().toString()))
                        .addOffsetDateTime(OffsetDateTime.ofInstant(clock.instant(), ZoneOffset.UTC))
                        .addString(by));
    }

    private static <T> String[] column(Collection<T> rows, Function<T, String> value) {
        return rows.stream().map(value).toArray(String[]::new);
    }

    private static List<StoredEntity> all(RowSet<Row> rows) {
        var all = new ArrayList<StoredEntity>(rows.size());
        rows.forEach(row -> all.add(stored(row)));
        return all;
    }

    private static StoredEntity stored(Row row) {
        var data = new EntityData(
                attributes(row.getString("attributes")),
                List.of(row.getArrayOfStrings("roles")),
                List.of(row.getArrayOfStrings("groups")),
                row.getString("owner"),
                List.of(row.getArrayOfStrings("delegates")));
        return new StoredEntity(
                new EntityKey(row.getString("type"), row.getString("id")),
                data,
                row.getLong("version"),
                row.getOffsetDateTime("updated_at").toInstant(),
                row.getString("updated_by"));
    }

    private static ObjectNode attributes(String json) {
        try {
            return JSON.readTree(json) instanceof ObjectNode object ? object : JsonNodeFactory.instance.objectNode();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the attributes of an entity are no JSON", e);
        }
    }
}
