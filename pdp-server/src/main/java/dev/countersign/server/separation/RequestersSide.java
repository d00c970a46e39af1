package dev.countersign.server.separation;

import dev.countersign.server.identity.PersonName;
import io.vertx.core.Future;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/**
 * The names on the requester's side, found round by round: whoever asks, the owners of these, the delegates of all of them
 * all the way down, and those whose delegates they are all the way up. Names are folded as those of persons are.
 */
final class RequestersSide {
    /** The most rounds in one direction, the last of which finds nothing new. */
    static final int ROUNDS = 10;
    /** The most names in one direction. */
    static final int NAMES = 1_000;

    private static final String GROUP = "group:";

    private static final String NAMED = " and e.type = any($2) and folded_name(e.id) = any(array("
            + "select folded_name(f.name) from unnest($3::text[]) as f (name)))";

    private static final String OWNERS = "select distinct e.owner as name from entities e"
            + " where e.tenant = $1 and e.owner is not null" + NAMED + " limit $4";

    private static final String MEMBERS = "select e.id as name from entities e where e.tenant = $1 and e.type = 'user'"
            + " and e.groups <> '{}' and e.groups && $2::text[] limit $3";

    private static final String DELEGATES = "select distinct found.name from ("
            + "select unnest(e.delegates) as name from entities e where e.tenant = $1 and e.delegates <> '{}'" + NAMED
            + " union all select t.name from persons f"
            + " join delegations d on d.tenant = f.tenant and d.from_person = f.id and d.revoked_at is null"
            + " join persons t on t.tenant = d.tenant and t.id = d.to_person"
            + " where f.tenant = $1 and f.folded = any($3)) as found limit $4";

    private static final String PRINCIPALS = "select distinct found.name from ("
            + "select e.id as name from entities e where e.tenant = $1 and e.type = any($2) and e.delegates <> '{}'"
            + " and folded_names(e.delegates) && folded_names($3::text[])"
            + " union all select f.name from persons t"
            + " join delegations d on d.tenant = t.tenant and d.to_person = t.id and d.revoked_at is null"
            + " join persons f on f.tenant = d.tenant and f.id = d.from_person"
            + " where t.tenant = $1 and t.folded = any($3)) as found limit $4";

    private final SqlConnection connection;
    private final String tenant;
    private final String[] types;

    /** The side of a request whose subject is of the type. */
    RequestersSide(SqlConnection connection, String tenant, String subjectType) {
        this.connection = connection;
        this.tenant = tenant;
        this.types = storable(subjectType) ? new String[] {"user", subjectType} : new String[] {"user"};
    }

    /** All names of the side on which these stand; failed with a {@link TangledSideException} if they are too many. */
    Future<Set<String>> names(Collection<String> asking) {
        var roots = new LinkedHashSet<String>();
        return members(asking)
                .compose(
                        first -> grow(roots, first, names -> find(OWNERS, names).compose(this::members), 0))
                .compose(owned -> closure(roots, DELEGATES))
                .compose(below -> closure(roots, PRINCIPALS).map(above -> {
                    below.addAll(above);
                    return below;
                }));
    }

    /** These names, and in the place of a group's its members. */
    Future<List<String>> members(Collection<String> names) {
        var single = new ArrayList<>(names);
        single.removeIf(name -> name.startsWith(GROUP));
        String[] groups = names.stream()
                .filter(name -> name.startsWith(GROUP) && storable(name))
                .map(name -> name.substring(GROUP.length()))
                .toArray(String[]::new);
        return groups.length == 0
                ? Future.succeededFuture(single)
                : connection
                        .preparedQuery(MEMBERS)
                        .execute(Tuple.of(tenant, groups, NAMES + 1))
                        .map(rows -> {
                            rows.forEach(row -> single.add(row.getString("name")));
                            return single;
                        });
    }

    private Future<Set<String>> closure(Set<String> roots, String query) {
        var reached = new LinkedHashSet<String>();
        return grow(reached, roots, names -> find(query, names), 0).map(reached);
    }

    private Future<List<String>> find(String query, String[] names) {
        return connection
                .preparedQuery(query)
                .execute(Tuple.of(tenant, types, names, NAMES + 1))
                .map(rows -> {
                    var found = new ArrayList<String>(rows.size());
                    rows.forEach(row -> found.add(row.getString("name")));
                    return found;
                });
    }

    private Future<?> grow(
            Set<String> reached, Collection<String> found, Function<String[], Future<List<String>>> next, int round) {
        String[] fresh = found.stream()
                .filter(RequestersSide::storable)
                .map(RequestersSide::folded)
                .filter(reached::add)
                .toArray(String[]::new);
        if (fresh.length == 0) {
            return Future.succeededFuture();
        }
        if (reached.size() > NAMES || found.size() > NAMES) {
            return tangled("more than " + NAMES + " names");
        }
        if (round == ROUNDS) {
            return tangled("a chain of more than " + ROUNDS + " links");
        }
        return next.apply(fresh).compose(more -> grow(reached, more, next, round + 1));
    }

    private static <T> Future<T> tangled(String what) {
        return Future.failedFuture(new TangledSideException("Nobody can review this request: the owners, delegates and"
                + " principals of whoever asks are " + what
                + ", so it cannot be told who is not one of them; register fewer for the subject and its owners"));
    }

    /** PostgreSQL holds no NUL, so nothing that is stored has a name with one. */
    static boolean storable(String text) {
        return text.indexOf(0) < 0;
    }

    /** As the names of persons are; a text that is nobody's name may still be an entity's. */
    private static String folded(String text) {
        try {
            return PersonName.of(text).folded();
        } catch (IllegalArgumentException nobody) {
            return text;
        }
    }
}
