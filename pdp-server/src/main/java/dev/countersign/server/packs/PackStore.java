package dev.countersign.server.packs;

import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The published packs in PostgreSQL. All are of one plane: a tenant's, or the operator's, whose tenant is null. */
public final class PackStore {
    /** The most packs of one plane. */
    public static final int MAX_PACKS = 50;

    /** The most bytes of files that the versions of one plane have together which judge or are shadows. */
    public static final long MAX_TEXT = 4 << 20;

    /** The most rules of all shadows of one plane, each of which is one more set of rules to make and to ask. */
    public static final long MAX_SHADOW_RULES = 2_000;

    /** In the report of a version, how many rules it has. */
    static final String RULES = "rules";

    private static final String OF_PLANE = " where coalesce(p.tenant, '') = coalesce($1, '')";
    private static final String SHORT = "p.tenant, p.name, p.version, p.declared, p.digest, p.created_at, p.created_by,"
            + " p.created_person, '' as files, '' as report, '' as diff";
    private static final String WHOLE = "p.tenant, p.name, p.version, p.declared, p.digest, p.created_at, p.created_by,"
            + " p.created_person, p.files, p.report, p.diff";
    private static final String IN_FORCE =
            "select p.name, max(p.version) as latest, f.change, f.active, f.shadow, f.changed_at, f.changed_by"
                    + " from rule_packs p left join rule_packs_in_force f"
                    + " on coalesce(f.tenant, '') = coalesce(p.tenant, '') and f.name = p.name" + OF_PLANE;
    private static final String GROUPED =
            " group by p.name, f.change, f.active, f.shadow, f.changed_at, f.changed_by order by p.name";

    private final Pool pool;

    /** The packs of the database behind {@code pool}. */
    public PackStore(Pool pool) {
        this.pool = pool;
    }

    /** Who changes what judges. */
    public record By(String key, @Nullable UUID person, Instant at) {}

    /** Those of a plane, by name. */
    public Future<List<InForce>> list(@Nullable String tenant) {
        return pool.withConnection(connection -> list(connection, tenant));
    }

    /** Those of a plane, by name. */
    public static Future<List<InForce>> list(SqlConnection connection, @Nullable String tenant) {
        return connection
                .preparedQuery(IN_FORCE + GROUPED)
                .execute(Tuple.of(tenant))
                .map(rows -> all(rows, PackStore::inForce));
    }

    /** One of a plane, or {@code null}. */
    public Future<@Nullable InForce> find(@Nullable String tenant, String name) {
        return pool.withConnection(connection -> find(connection, tenant, name));
    }

    /** One of a plane, or {@code null}. */
    public static Future<@Nullable InForce> find(SqlConnection connection, @Nullable String tenant, String name) {
        return connection
                .preparedQuery(IN_FORCE + " and p.name = $2" + GROUPED)
                .execute(Tuple.of(tenant, name))
                .map(rows -> rows.size() == 0 ? null : inForce(rows.iterator().next()));
    }

    /** The versions of a pack, the latest first, from the one before {@code before} on, 0 for all; without their files. */
    public Future<List<PackVersion>> versions(@Nullable String tenant, String name, long before, int limit) {
        return pool.preparedQuery("select " + SHORT + " from rule_packs p" + OF_PLANE
                        + " and p.name = $2 and ($3 = 0 or p.version < $3) order by p.version desc limit $4")
                .execute(Tuple.of(tenant, name, before, limit))
                .map(rows -> all(rows, PackStore::version));
    }

    /** A version of a pack, or {@code null}. */
    public Future<@Nullable PackVersion> version(@Nullable String tenant, String name, long version) {
        return pool.preparedQuery(
                        "select " + WHOLE + " from rule_packs p" + OF_PLANE + " and p.name = $2 and p.version = $3")
                .execute(Tuple.of(tenant, name, version))
                .map(rows -> rows.size() == 0 ? null : version(rows.iterator().next()));
    }

    /** Stores a version under the next number; {@code null} if the plane has as many packs as it may. */
    public static Future<@Nullable PackVersion> publish(SqlConnection connection, PackVersion made) {
        return connection
                .preparedQuery("select count(distinct p.name) filter (where p.name <> $2),"
                        + " coalesce(max(p.version) filter (where p.name = $2), 0) from rule_packs p" + OF_PLANE)
                .execute(Tuple.of(made.tenant(), made.name()))
                .compose(rows -> {
                    Row row = rows.iterator().next();
                    return row.getLong(0) >= MAX_PACKS
                            ? Future.succeededFuture()
                            : insert(connection, made.numbered(row.getLong(1) + 1));
                });
    }

    private static Future<@Nullable PackVersion> insert(SqlConnection connection, PackVersion made) {
        return connection
                .preparedQuery(
                        "insert into rule_packs (tenant, name, version, declared, digest, files, report, diff,"
                                + " created_at, created_by, created_person) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
                .execute(Tuple.from(new @Nullable Object[] {
                    made.tenant(),
                    made.name(),
                    made.version(),
                    made.declared(),
                    made.digest(),
                    made.files(),
                    made.report(),
                    made.diff(),
                    made.at().atOffset(ZoneOffset.UTC),
                    made.by(),
                    made.person()
                }))
                .map(inserted -> (@Nullable PackVersion) made);
    }

    /** What the versions of a plane weigh that judge or are shadows. */
    private record Weight(long text, long shadowRules) {
        /** Why it may not have become that from {@code before}, or {@code null}: what takes away is always possible. */
        @Nullable
        String refusal(Weight before) {
            if (text > MAX_TEXT && text > before.text) {
                return "the packs that judge here or are shadows would have " + text
                        + " bytes of files together, and may" + " have " + MAX_TEXT;
            }
            return shadowRules > MAX_SHADOW_RULES && shadowRules > before.shadowRules
                    ? "the shadows here would have " + shadowRules + " rules together, and may have " + MAX_SHADOW_RULES
                    : null;
        }
    }

    /** What the plane would weigh with these versions of one pack. */
    private static Future<Weight> weight(SqlConnection connection, @Nullable String tenant, InForce pack) {
        return connection
                .preparedQuery("with f as (select name, active, shadow from rule_packs_in_force"
                        + " where coalesce(tenant, '') = coalesce($1, '') and name <> $2"
                        + " union all select $2, $3::bigint, $4::bigint)"
                        + " select coalesce(sum(octet_length(p.files)), 0)::bigint,"
                        + " coalesce(sum((p.report::json ->> '" + RULES + "')::bigint)"
                        + " filter (where p.version = f.shadow), 0)::bigint"
                        + " from rule_packs p join f on f.name = p.name and p.version in (f.active, f.shadow)"
                        + OF_PLANE)
                .execute(Tuple.from(new @Nullable Object[] {tenant, pack.name(), pack.active(), pack.shadow()}))
                .map(rows -> {
                    Row row = rows.iterator().next();
                    return new Weight(row.getLong(0), row.getLong(1));
                });
    }

    /** Why these versions of a pack may not judge instead of those that do now, or {@code null} if they may. */
    public static Future<@Nullable String> refusal(
            SqlConnection connection, @Nullable String tenant, InForce now, InForce next) {
        return weight(connection, tenant, now)
                .compose(before -> weight(connection, tenant, next).map(after -> after.refusal(before)));
    }

    /**
     * Whether nothing has changed in a plane but one pack, and a version of it judged until then.
     *
     * @param version the version, {@code null} for none
     * @param revision the number of the last change of what judges in the plane
     */
    public static Future<Boolean> judgedUntil(
            SqlConnection connection, @Nullable String tenant, String name, @Nullable Long version, long revision) {
        return connection
                .preparedQuery("select 1 from rule_packs_in_force f join rule_packs_history h"
                        + " on coalesce(h.tenant, '') = coalesce(f.tenant, '') and h.name = f.name and h.change = f.change"
                        + " left join rule_packs_history p"
                        + " on coalesce(p.tenant, '') = coalesce(f.tenant, '') and p.name = f.name and p.change = f.change - 1"
                        + " where coalesce(f.tenant, '') = coalesce($1, '') and f.name = $2"
                        + " and p.active is not distinct from $3 and h.revision = $4")
                .execute(Tuple.from(new @Nullable Object[] {tenant, name, version, revision}))
                .map(rows -> rows.size() > 0);
    }

    /** Has these versions of a pack judge, {@code null} for none, and records it. */
    public static Future<InForce> put(
            SqlConnection connection, @Nullable String tenant, InForce now, By by, @Nullable UUID proposal) {
        return judge(connection, tenant, now, by).compose(put -> record(connection, tenant, now, by, proposal));
    }

    private static Future<?> judge(SqlConnection connection, @Nullable String tenant, InForce now, By by) {
        OffsetDateTime at = by.at().atOffset(ZoneOffset.UTC);
        return connection
                .preparedQuery("insert into rule_packs_in_force (tenant, name, change, active, shadow, changed_at,"
                        + " changed_by) values ($1, $2, $3, $4, $5, $6, $7)"
                        + " on conflict (coalesce(tenant, ''), name) do update set change = excluded.change,"
                        + " active = excluded.active, shadow = excluded.shadow, changed_at = excluded.changed_at,"
                        + " changed_by = excluded.changed_by")
                .execute(Tuple.from(new @Nullable Object[] {
                    tenant, now.name(), now.change(), now.active(), now.shadow(), at, by.key()
                }));
    }

    private static Future<InForce> record(
            SqlConnection connection, @Nullable String tenant, InForce now, By by, @Nullable UUID proposal) {
        OffsetDateTime at = by.at().atOffset(ZoneOffset.UTC);
        Tuple past = Tuple.from(new @Nullable Object[] {
            tenant, now.name(), now.change(), now.active(), now.shadow(), at, by.key(), by.person(), proposal
        });
        return connection
                .preparedQuery("insert into rule_packs_history (tenant, name, change, active, shadow, changed_at,"
                        + " changed_by, changed_person, proposal, revision) select $1, $2, $3, $4, $5, $6, $7, $8, $9,"
                        + " max(revision) from policy_revisions where tenant in ('', coalesce($1, ''))")
                .execute(past)
                .map(recorded -> new InForce(
                        now.name(), now.change(), now.active(), now.shadow(), now.latest(), by.at(), by.key()));
    }

    private static <T> List<T> all(Iterable<Row> rows, Function<Row, T> read) {
        var all = new ArrayList<T>();
        rows.forEach(row -> all.add(read.apply(row)));
        return all;
    }

    private static InForce inForce(Row row) {
        OffsetDateTime at = row.getOffsetDateTime("changed_at");
        Long change = row.getLong("change");
        return new InForce(
                row.getString("name"),
                change == null ? 0 : change,
                row.getLong("active"),
                row.getLong("shadow"),
                row.getLong("latest"),
                at == null ? null : at.toInstant(),
                row.getString("changed_by"));
    }

    private static PackVersion version(Row row) {
        return new PackVersion(
                row.getString("tenant"),
                row.getString("name"),
                row.getLong("version"),
                row.getString("declared"),
                row.getString("digest"),
                row.getString("files"),
                row.getString("report"),
                row.getString("diff"),
                row.getOffsetDateTime("created_at").toInstant(),
                row.getString("created_by"),
                row.getUUID("created_person"));
    }
}
