package dev.countersign.server.separation;

import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.identity.PersonName;
import dev.countersign.server.identity.Role;
import dev.countersign.server.separation.Panel.Candidate;
import dev.countersign.server.separation.Panel.Substitution;
import io.vertx.core.Future;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The separation of who asks from who reviews. On the requester's side, which never reviews, are: the person who submits
 * the request; whom the subject and the claims name; the owners of these, and theirs; the delegates of all of them, and
 * theirs; and those whose delegates they are. Delegations count whether they are in force or not, unless they are revoked.
 */
public final class Separation {
    /** Those whose keys may approve, and those of whom an issuer's subject is said to; keys and subjects make one reviewer. */
    private static final String REVIEWERS = "select p.id, p.name, k.roles as key_roles, e.roles from ("
            + "select g.person_id, array_agg(distinct g.role) as roles from ("
            + "select k.person_id, r.role from api_keys k cross join unnest(k.roles) as r (role)"
            + " where k.tenant = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > $2)"
            + " union all select s.person_id, 'approvals.approve' from issuer_subjects s"
            + " join issuers i on i.id = s.issuer and i.disabled_at is null where s.tenant = $1 and s.approves"
            + ") g group by g.person_id having 'approvals.approve' = any(array_agg(g.role))) k"
            + " join tenants t on t.id = $1 and t.suspended_at is null"
            + " join persons p on p.tenant = $1 and p.id = k.person_id"
            + " left join entities e on e.tenant = $1 and e.type = 'user' and e.id = p.name";

    private static final String IN_FORCE = "select d.from_person, d.to_person, d.scope from delegations d"
            + " where d.tenant = $1 and d.revoked_at is null and d.valid_from <= $2 and d.valid_until > $2";

    private Separation() {}

    /**
     * Who may review a request.
     *
     * @param connection of a transaction of the caller's, in which all is read
     * @param stages what the reviewers have to fill, with quorums as they are to be met
     * @param at the moment for which keys and delegations must be in force, and which escalations have come
     * @return the panel; failed, with a {@link TangledSideException} if the requester's side is too large to be told
     */
    public static Future<Panel> panel(SqlConnection connection, Asking asking, List<Stage> stages, Moment at) {
        var side = new RequestersSide(connection, asking.tenant(), asking.subjectType());
        return unanswered(connection, side, asking)
                .compose(unanswered -> submitter(connection, asking)
                        .compose(submitter -> side.names(names(asking, submitter)))
                        .compose(names -> excluded(connection, asking, names))
                        .compose(excluded -> reviewers(connection, asking.tenant(), at.now())
                                .compose(reviewers -> substitutions(connection, asking, at.now())
                                        .map(substitutions -> new Panel(
                                                stages, at, excluded, unanswered, reviewers, substitutions)))));
    }

    /** Whether the subject is an agent that has no owner, and no person submits for it either. */
    private static Future<Boolean> unanswered(SqlConnection connection, RequestersSide side, Asking asking) {
        if (!asking.subjectType().equals(Asking.AGENT) || asking.submitter() != null) {
            return Future.succeededFuture(false);
        }
        if (!RequestersSide.storable(asking.subjectId())) {
            return Future.succeededFuture(true);
        }
        return connection
                .preparedQuery("select e.owner from entities e where e.tenant = $1 and e.type = $2 and e.id = $3"
                        + " and e.owner is not null")
                .execute(Tuple.of(asking.tenant(), asking.subjectType(), asking.subjectId()))
                .map(rows -> texts(rows, "owner"))
                .compose(side::members)
                .map(List::isEmpty);
    }

    private static Future<List<String>> submitter(SqlConnection connection, Asking asking) {
        return asking.submitter() == null
                ? Future.succeededFuture(List.of())
                : connection
                        .preparedQuery("select p.name from persons p where p.tenant = $1 and p.id = $2")
                        .execute(Tuple.of(asking.tenant(), asking.submitter()))
                        .map(rows -> texts(rows, "name"));
    }

    private static List<String> names(Asking asking, List<String> submitter) {
        var names = new ArrayList<>(submitter);
        names.add(asking.subjectId());
        if (asking.subjectType().equals("group")) {
            names.add("group:" + asking.subjectId());
        }
        names.addAll(asking.claimed());
        return names;
    }

    private static Future<Set<UUID>> excluded(SqlConnection connection, Asking asking, Set<String> names) {
        return connection
                .preparedQuery("select p.id from persons p where p.tenant = $1 and p.folded = any($2)")
                .execute(Tuple.tuple().addString(asking.tenant()).addArrayOfString(names.toArray(String[]::new)))
                .map(rows -> {
                    var excluded = new HashSet<>(asking.excludedBefore());
                    rows.forEach(row -> excluded.add(row.getUUID("id")));
                    if (asking.submitter() != null) {
                        excluded.add(asking.submitter());
                    }
                    return excluded;
                });
    }

    private static Future<Collection<Candidate>> reviewers(SqlConnection connection, String tenant, Instant now) {
        return connection
                .preparedQuery(REVIEWERS)
                .execute(Tuple.of(tenant, now.atOffset(ZoneOffset.UTC)))
                .map(rows -> {
                    var reviewers = new ArrayList<Candidate>();
                    rows.forEach(row -> reviewers.add(candidate(row)));
                    return reviewers;
                });
    }

    private static Candidate candidate(Row row) {
        String[] roles = row.getArrayOfStrings("roles");
        return new Candidate(
                row.getUUID("id"),
                row.getString("name"),
                Arrays.stream(row.getArrayOfStrings("key_roles"))
                        .flatMap(word -> Role.of(word).stream())
                        .collect(Collectors.toUnmodifiableSet()),
                roles == null ? Set.of() : Set.copyOf(Arrays.asList(roles)));
    }

    private static Future<Collection<Substitution>> substitutions(
            SqlConnection connection, Asking asking, Instant now) {
        return connection
                .preparedQuery(IN_FORCE)
                .execute(Tuple.of(asking.tenant(), now.atOffset(ZoneOffset.UTC)))
                .map(rows -> {
                    var found = new ArrayList<Substitution>();
                    for (Row row : rows) {
                        String scope = row.getString("scope");
                        if (scope == null || new Glob(scope).matches(asking.action())) {
                            found.add(new Substitution(row.getUUID("from_person"), row.getUUID("to_person")));
                        }
                    }
                    return found;
                });
    }

    /** The person of a name; {@code null} if the tenant has none. */
    public static Future<@Nullable UUID> person(SqlConnection connection, String tenant, PersonName name) {
        return connection
                .preparedQuery("select p.id from persons p where p.tenant = $1 and p.folded = $2")
                .execute(Tuple.of(tenant, name.folded()))
                .map(rows -> rows.size() == 0 ? null : rows.iterator().next().getUUID("id"));
    }

    private static List<String> texts(Iterable<Row> rows, String column) {
        var texts = new ArrayList<String>();
        rows.forEach(row -> texts.add(row.getString(column)));
        return texts;
    }
}
