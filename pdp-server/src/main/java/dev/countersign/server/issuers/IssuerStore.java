package dev.countersign.server.issuers;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.identity.PersonName;
import dev.countersign.server.identity.Role;
import dev.countersign.server.identity.StoredKey.Person;
import dev.countersign.server.live.Changes;
import io.vertx.core.Future;
import io.vertx.sqlclient.Pool;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.net.URI;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The issuers in PostgreSQL, and the persons behind their subjects. */
public final class IssuerStore {
    /** The most issuers of a tenant. */
    public static final int MAX_ISSUERS = 20;

    /** The most persons behind the subjects of one issuer: every server holds those of all tenants in memory. */
    public static final int MAX_SUBJECTS = 10_000;

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final TypeReference<LinkedHashMap<String, List<String>>> ROLE_MAP = new TypeReference<>() {};

    private static final String ISSUERS =
            "select i.id, i.tenant, i.issuer, i.audience, i.jwks_uri, i.algorithms, i.roles_claim, i.role_map, i.created_at,"
                    + " i.created_by, i.disabled_at, i.disabled_by from issuers i";

    private static final String OF_TENANT = ISSUERS + " where i.tenant = $1";

    private static final String SUBJECTS =
            "select s.issuer, s.sub, s.person_id, p.name as person, s.approves, s.updated_at, s.updated_by"
                    + " from issuer_subjects s join persons p on p.tenant = s.tenant and p.id = s.person_id"
                    + " where s.tenant = $1 and s.issuer = $2";

    private final Pool pool;
    private final Changes changes;
    private final Supplier<UUID> ids;
    private final InstantSource clock;

    /**
     * The issuers of the database behind {@code pool}.
     *
     * @param changes how they are changed
     * @param ids makes the ids of issuers and persons
     * @param clock dates the changes
     */
    public IssuerStore(Pool pool, Changes changes, Supplier<UUID> ids, InstantSource clock) {
        this.pool = pool;
        this.changes = changes;
        this.ids = ids;
        this.clock = clock;
    }

    /** What came of a change. */
    public sealed interface Changed<T> {
        /** It is committed, and this is what it made or left. */
        record Done<T>(T left) implements Changed<T> {}

        /** Nothing was changed. */
        record Refused<T>(Refusal why) implements Changed<T> {}
    }

    /** Why nothing was changed. */
    public enum Refusal {
        /** There is no such issuer of this tenant. */
        UNKNOWN,
        /** Somebody has registered this issuer for this audience already. */
        TAKEN,
        /** There are as many already as there may be. */
        FULL
    }

    /** All issuers that are not disabled, of tenants that are not suspended. */
    public Future<Issuers> load() {
        return pool.withTransaction(connection -> connection
                .query("set transaction isolation level repeatable read, read only")
                .execute()
                .compose(begun -> connection
                        .query(ISSUERS + " join tenants t on t.id = i.tenant and t.suspended_at is null"
                                + " where i.disabled_at is null")
                        .execute())
                .compose(issuers -> connection
                        .query("select s.issuer, s.sub, s.person_id, p.name, s.approves from issuer_subjects s"
                                + " join persons p on p.tenant = s.tenant and p.id = s.person_id"
                                + " join issuers i on i.id = s.issuer and i.disabled_at is null")
                        .execute()
                        .map(subjects -> issuers(issuers, subjects))));
    }

    private static Issuers issuers(Iterable<Row> issuers, Iterable<Row> subjects) {
        var known = new HashMap<UUID, Map<String, Issuers.Known>>();
        for (Row row : subjects) {
            known.computeIfAbsent(row.getUUID("issuer"), issuer -> new HashMap<>())
                    .put(
                            row.getString("sub"),
                            new Issuers.Known(
                                    row.getUUID("person_id"), row.getString("name"), row.getBoolean("approves")));
        }
        return new Issuers(all(issuers, IssuerStore::issuer), known);
    }

    /** A tenant's issuers by id, from the one after {@code after} on; disabled ones too. */
    public Future<List<Issuer>> list(String tenant, @Nullable String after, int limit) {
        return pool.preparedQuery(OF_TENANT + " and i.id::text > $2 order by i.id::text limit $3")
                .execute(Tuple.of(tenant, after == null ? "" : after, limit))
                .map(rows -> all(rows, IssuerStore::issuer));
    }

    /** A tenant's issuer, or {@code null}. */
    public Future<@Nullable Issuer> find(String tenant, UUID id) {
        return pool.withConnection(connection -> find(connection, tenant, id));
    }

    private static Future<@Nullable Issuer> find(SqlConnection connection, String tenant, UUID id) {
        return connection
                .preparedQuery(OF_TENANT + " and i.id = $2")
                .execute(Tuple.of(tenant, id))
                .map(rows -> first(rows, IssuerStore::issuer));
    }

    /** Registers an issuer. */
    public Future<Changed<Issuer>> create(
            String tenant, String issuer, String audience, Issuer.Terms terms, String by) {
        return changes.make(
                tenant,
                by,
                connection -> count(connection, "select count(*) from issuers where tenant = $1", Tuple.of(tenant))
                        .compose(count -> count >= MAX_ISSUERS
                                ? refused(Refusal.FULL)
                                : insert(connection, tenant, issuer, audience, terms, by)));
    }

    private Future<Changed<Issuer>> insert(
            SqlConnection connection, String tenant, String issuer, String audience, Issuer.Terms terms, String by) {
        UUID id = ids.get();
        var values =
                Tuple.tuple().addUUID(id).addString(tenant).addString(issuer).addString(audience);
        return connection
                .preparedQuery("insert into issuers (id, tenant, issuer, audience, jwks_uri, algorithms, roles_claim,"
                        + " role_map, created_at, created_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                        + " on conflict (issuer, audience) do nothing returning id")
                .execute(terms(values, terms).addOffsetDateTime(now()).addString(by))
                .compose(made -> made.size() == 0
                        ? refused(Refusal.TAKEN)
                        : find(connection, tenant, id).map(IssuerStore::done));
    }

    private static Tuple terms(Tuple values, Issuer.Terms terms) {
        ObjectNode roleMap = JSON.createObjectNode();
        terms.roleMap().forEach((value, roles) -> {
            ArrayNode words = roleMap.putArray(value);
            roles.forEach(role -> words.add(role.word()));
        });
        return values.addString(terms.jwksUri().toString())
                .addArrayOfString(terms.algorithms().toArray(String[]::new))
                .addString(terms.rolesClaim())
                .addString(roleMap.toString());
    }

    /** Has an issuer's tokens judged in another way, and disables it or lets it go on. */
    public Future<Changed<Issuer>> update(String tenant, UUID id, Issuer.Terms terms, boolean disabled, String by) {
        var values = terms(Tuple.of(tenant, id), terms)
                .addBoolean(disabled)
                .addOffsetDateTime(now())
                .addString(by);
        return changes.make(
                tenant,
                by,
                connection -> connection
                        .preparedQuery(
                                "update issuers set jwks_uri = $3, algorithms = $4, roles_claim = $5, role_map = $6,"
                                        + " disabled_at = case when $7 then coalesce(disabled_at, $8) end,"
                                        + " disabled_by = case when $7 then coalesce(disabled_by, $9) end"
                                        + " where tenant = $1 and id = $2")
                        .execute(values)
                        .compose(done -> find(connection, tenant, id))
                        .map(IssuerStore::done));
    }

    /** Forgets an issuer and the persons behind its subjects; what it was, if it was there. */
    public Future<Changed<Issuer>> delete(String tenant, UUID id, String by) {
        return changes.make(
                tenant,
                by,
                connection -> find(connection, tenant, id)
                        .compose(found -> connection
                                .preparedQuery("delete from issuers where tenant = $1 and id = $2")
                                .execute(Tuple.of(tenant, id))
                                .map(gone -> done(found))));
    }

    /** The persons behind an issuer's subjects, by {@code sub}, from the one after {@code after} on. */
    public Future<List<Subject>> subjects(String tenant, UUID issuer, @Nullable String after, int limit) {
        return pool.preparedQuery(SUBJECTS + " and s.sub collate \"C\" > $3 order by s.sub collate \"C\" limit $4")
                .execute(Tuple.of(tenant, issuer, after == null ? "" : after, limit))
                .map(rows -> all(rows, IssuerStore::subject));
    }

    /** The person behind a subject, or {@code null}. */
    public Future<@Nullable Subject> subject(String tenant, UUID issuer, String sub) {
        return pool.withConnection(connection -> subject(connection, tenant, issuer, sub));
    }

    private static Future<@Nullable Subject> subject(SqlConnection connection, String tenant, UUID issuer, String sub) {
        return connection
                .preparedQuery(SUBJECTS + " and s.sub = $3")
                .execute(Tuple.of(tenant, issuer, sub))
                .map(rows -> first(rows, IssuerStore::subject));
    }

    /**
     * Says who is behind a subject.
     *
     * @param sub fit to be one, see {@link Subject#fit}
     * @param person is made if the tenant has nobody of that name
     */
    public Future<Changed<Subject>> put(
            String tenant, UUID issuer, String sub, PersonName person, boolean approves, String by) {
        return changes.make(
                tenant,
                by,
                connection -> find(connection, tenant, issuer)
                        .compose(found -> found == null
                                ? refused(Refusal.UNKNOWN)
                                : count(
                                                connection,
                                                "select count(*) from issuer_subjects where issuer = $1 and sub <> $2",
                                                Tuple.of(issuer, sub))
                                        .compose(count -> count >= MAX_SUBJECTS
                                                ? refused(Refusal.FULL)
                                                : person(connection, tenant, person)
                                                        .compose(id -> put(
                                                                connection, tenant, issuer, sub, id, approves, by)))));
    }

    private Future<UUID> person(SqlConnection connection, String tenant, PersonName name) {
        return connection
                .preparedQuery("insert into persons (id, tenant, name, folded) values ($1, $2, $3, $4)"
                        + " on conflict (tenant, folded) do update set name = persons.name returning id")
                .execute(Tuple.of(ids.get(), tenant, name.shown(), name.folded()))
                .map(rows -> rows.iterator().next().getUUID("id"));
    }

    private Future<Changed<Subject>> put(
            SqlConnection connection,
            String tenant,
            UUID issuer,
            String sub,
            UUID person,
            boolean approves,
            String by) {
        var values = Tuple.of(tenant, issuer, sub, person, approves)
                .addString(Subject.mark(sub, person))
                .addString(Subject.mark(sub, null))
                .addOffsetDateTime(now())
                .addString(by);
        return connection
                .preparedQuery(
                        "insert into issuer_subjects (tenant, issuer, sub, person_id, approves, as_person, as_service,"
                                + " updated_at, updated_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                                + " on conflict (issuer, sub) do update set person_id = excluded.person_id,"
                                + " approves = excluded.approves, as_person = excluded.as_person,"
                                + " updated_at = excluded.updated_at, updated_by = excluded.updated_by")
                .execute(values)
                .compose(written -> subject(connection, tenant, issuer, sub))
                .map(IssuerStore::done);
    }

    /** Makes a subject a service again; what was said of it, if anything was. */
    public Future<Changed<Subject>> remove(String tenant, UUID issuer, String sub, String by) {
        return changes.make(
                tenant,
                by,
                connection -> subject(connection, tenant, issuer, sub)
                        .compose(found -> connection
                                .preparedQuery(
                                        "delete from issuer_subjects where tenant = $1 and issuer = $2 and sub = $3")
                                .execute(Tuple.of(tenant, issuer, sub))
                                .map(gone -> done(found))));
    }

    private static <T> Changed<T> done(@Nullable T left) {
        return left == null ? new Changed.Refused<>(Refusal.UNKNOWN) : new Changed.Done<>(left);
    }

    private static <T> Future<Changed<T>> refused(Refusal why) {
        return Future.succeededFuture(new Changed.Refused<>(why));
    }

    private static Future<Long> count(SqlConnection connection, String sql, Tuple values) {
        return connection
                .preparedQuery(sql)
                .execute(values)
                .map(rows -> rows.iterator().next().getLong(0));
    }

    private static <T> List<T> all(Iterable<Row> rows, Function<Row, T> read) {
        var all = new ArrayList<T>();
        rows.forEach(row -> all.add(read.apply(row)));
        return all;
    }

    private static <T> @Nullable T first(Iterable<Row> rows, Function<Row, T> read) {
        List<T> all = all(rows, read);
        return all.isEmpty() ? null : all.get(0);
    }

    private static Issuer issuer(Row row) {
        OffsetDateTime disabled = row.getOffsetDateTime("disabled_at");
        return new Issuer(
                row.getUUID("id"),
                row.getString("tenant"),
                row.getString("issuer"),
                row.getString("audience"),
                new Issuer.Terms(
                        URI.create(row.getString("jwks_uri")),
                        List.of(row.getArrayOfStrings("algorithms")),
                        row.getString("roles_claim"),
                        roleMap(row.getString("role_map"))),
                row.getOffsetDateTime("created_at").toInstant(),
                row.getString("created_by"),
                disabled == null ? null : disabled.toInstant(),
                row.getString("disabled_by"));
    }

    private static Map<String, List<Role>> roleMap(String json) {
        try {
            var roles = new LinkedHashMap<String, List<Role>>();
            JSON.readValue(json, ROLE_MAP)
                    .forEach((value, words) -> roles.put(
                            value,
                            words.stream()
                                    .flatMap(word -> Role.of(word).stream())
                                    .toList()));
            return roles;
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an issuer's role map in the database is not JSON", e);
        }
    }

    private static Subject subject(Row row) {
        return new Subject(
                row.getUUID("issuer"),
                row.getString("sub"),
                new Person(row.getUUID("person_id"), row.getString("person")),
                row.getBoolean("approves"),
                row.getOffsetDateTime("updated_at").toInstant(),
                row.getString("updated_by"));
    }

    private OffsetDateTime now() {
        return clock.instant().atOffset(ZoneOffset.UTC);
    }
}
