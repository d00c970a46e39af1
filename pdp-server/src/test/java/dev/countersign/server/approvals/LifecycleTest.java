package dev.countersign.server.approvals;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.rules.facts.Worded;
import dev.countersign.server.http.RunningServer;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import io.vertx.core.Future;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Requests and approvals move as their tables say, and in no other way, in memory and in the database. */
@ExtendWith(PostgresExtension.class)
class LifecycleTest {
    /** What follows what, told apart from the product. */
    private static final Map<String, Set<String>> REQUESTS = Map.of(
            "pending", Set.of("approved", "denied", "expired", "cancelled", "failed"),
            "approved", Set.of(),
            "denied", Set.of(),
            "expired", Set.of(),
            "cancelled", Set.of(),
            "failed", Set.of());

    private static final Map<String, Set<String>> APPROVALS = Map.of(
            "active", Set.of("reserved", "consumed", "revoked", "expired"),
            "reserved", Set.of("consumed", "active", "in_doubt"),
            "in_doubt", Set.of("consumed", "active"),
            "consumed", Set.of(),
            "revoked", Set.of(),
            "expired", Set.of());

    private static final String TENANT = "acme";
    private static final Instant NOW = Instant.parse("2026-03-02T09:00:00Z");
    private static final UUID REVIEWER = new UUID(0, 1);

    private static Rows rows;
    private static long ids = 1;

    @BeforeAll
    static void connect(@AsOwner PostgresAddress database) {
        rows = new Rows(database);
        rows.execute("insert into tenants (id, name) values ($1, $1)", TENANT);
        rows.execute(
                "insert into persons (id, tenant, name, folded) values ($1, $2, 'rita', 'rita')", REVIEWER, TENANT);
    }

    @AfterAll
    static void disconnect() {
        rows.close();
    }

    private static <S extends Enum<S> & Worded> Stream<Arguments> pairs(Class<S> states) {
        return Stream.of(states.getEnumConstants())
                .flatMap(from -> Stream.of(states.getEnumConstants()).map(to -> Arguments.of(from, to)));
    }

    static Stream<Arguments> ofRequests() {
        return pairs(AccessRequestLifecycle.Status.class);
    }

    static Stream<Arguments> ofApprovals() {
        return pairs(ApprovalLifecycle.Status.class);
    }

    static Stream<Arguments> ofUses() {
        return Stream.of(ApprovalLifecycle.Status.values())
                .flatMap(from -> Stream.of(ApprovalLifecycle.Status.RESERVED, ApprovalLifecycle.Status.CONSUMED)
                        .map(to -> Arguments.of(from, to)));
    }

    @Test
    void theTablesHoldTheStatesThatThePromiseNamesAndEndWhereNothingFollows() {
        holds(AccessRequestLifecycle.Status.class, AccessRequestLifecycle.TABLE, REQUESTS);
        holds(ApprovalLifecycle.Status.class, ApprovalLifecycle.TABLE, APPROVALS);
    }

    private static <S extends Enum<S> & Worded> void holds(
            Class<S> states, Lifecycle<S> table, Map<String, Set<String>> promised) {
        assertThat(Stream.of(states.getEnumConstants()).map(Worded::word))
                .containsExactlyInAnyOrderElementsOf(promised.keySet());
        for (S state : states.getEnumConstants()) {
            var after = new TreeSet<String>();
            table.after(state).forEach(next -> after.add(next.word()));
            assertThat(after).as(state.word()).isEqualTo(new TreeSet<>(promised.get(state.word())));
            assertThat(table.ends(state)).as(state.word()).isEqualTo(after.isEmpty());
        }
    }

    @ParameterizedTest
    @MethodSource("ofRequests")
    void aRequestMovesAsItsTableSaysAndElseStaysAsItWas(
            AccessRequestLifecycle.Status from, AccessRequestLifecycle.Status to) {
        UUID id = request(from);
        var end = new AccessRequest.End(NOW.plusSeconds(60), "cs_key", REVIEWER, "as the table says");
        Future<?> moved = rows.pool()
                .withTransaction(connection -> AccessRequestStore.lock(connection, TENANT, id)
                        .compose(locked -> AccessRequestStore.end(connection, Objects.requireNonNull(locked), to, end)
                                .map(true)));
        settles(moved, "approval_requests", id, from, to, REQUESTS);
    }

    @ParameterizedTest
    @MethodSource("ofApprovals")
    void anApprovalMovesAsItsTableSaysAndElseStaysAsItWas(ApprovalLifecycle.Status from, ApprovalLifecycle.Status to) {
        UUID id = approval(from);
        Future<?> moved = rows.pool()
                .withTransaction(connection -> ApprovalStore.lock(connection, TENANT, id)
                        .compose(found -> {
                            Approval locked = Objects.requireNonNull(found);
                            boolean use = from == ApprovalLifecycle.Status.ACTIVE
                                    && (to == ApprovalLifecycle.Status.RESERVED
                                            || to == ApprovalLifecycle.Status.CONSUMED);
                            Future<?> step = use
                                    ? ApprovalStore.use(connection, TENANT, locked, to, id.toString(), id, NOW, NOW)
                                    : ApprovalStore.move(connection, TENANT, locked, to, NOW, "cs_key", null);
                            return step.map(true);
                        }));
        settles(moved, "approvals", id, from, to, APPROVALS);
    }

    @ParameterizedTest
    @MethodSource("ofUses")
    void anApprovalIsUsedOnlyWhereItsTableLeadsToAUse(ApprovalLifecycle.Status from, ApprovalLifecycle.Status to) {
        UUID id = approval(from);
        Future<?> used = rows.pool()
                .withTransaction(connection -> ApprovalStore.lock(connection, TENANT, id)
                        .compose(locked -> ApprovalStore.use(
                                        connection,
                                        TENANT,
                                        Objects.requireNonNull(locked),
                                        to,
                                        id.toString(),
                                        id,
                                        NOW,
                                        NOW)
                                .map(true)));
        settles(used, "approvals", id, from, to, APPROVALS);
    }

    private static void settles(
            Future<?> moved, String table, UUID id, Worded from, Worded to, Map<String, Set<String>> promised) {
        boolean follows = promised.get(from.word()).contains(to.word());
        if (follows) {
            Rows.done(moved);
        } else {
            assertThatThrownBy(() -> Rows.done(moved))
                    .hasRootCauseInstanceOf(IllegalStateException.class)
                    .hasRootCauseMessage(from.word() + " is never followed by " + to.word());
        }
        String status = rows.all("select status from " + table + " where tenant = $1 and id = $2", TENANT, id)
                .get(0)
                .getString(0);
        assertThat(status).isEqualTo((follows ? to : from).word());
    }

    private static UUID request(AccessRequestLifecycle.Status status) {
        UUID id = new UUID(0, ++ids);
        boolean open = status == AccessRequestLifecycle.Status.PENDING;
        rows.execute(
                "insert into approval_requests (tenant, id, task, position, status, evaluation_id, requester,"
                        + " requester_key, submission, subject_type, subject_id, action, resource_type, resource_id, call,"
                        + " whole, digest, bound_context, advisory, findings, stages, excluded, claimed, reason, risk,"
                        + " created_at, decide_by, use_seconds, ended_at, ended_person) values ($1, $2, $2, 0, $3, $2,"
                        + " 'service:agent', 'cs_agent', 'hash', 'agent', 'planner', 'pay', 'tool', 'pay', '{}', true,"
                        + " 'digest', '{}', '{}', '[]', '[]', '{}', '{}', 'PAY', 'low', $4, $5, $6, $7, $8)",
                TENANT,
                id,
                status.word(),
                NOW.atOffset(ZoneOffset.UTC),
                NOW.plusSeconds(3600).atOffset(ZoneOffset.UTC),
                Duration.ofMinutes(15).toSeconds(),
                open ? null : NOW.atOffset(ZoneOffset.UTC),
                open ? null : REVIEWER);
        return id;
    }

    private static UUID approval(ApprovalLifecycle.Status status) {
        UUID request = request(AccessRequestLifecycle.Status.APPROVED);
        UUID id = new UUID(1, ++ids);
        rows.execute(
                "insert into approvals (tenant, id, request, requester, status, approved_at, use_by, state, execution_id,"
                        + " decision, used_at, report_by)"
                        + " values ($1, $2, $3, 'service:planner', $4, $5, $6, 'signed', $2::text, $2, $5, $6)",
                TENANT,
                id,
                request,
                status.word(),
                NOW.atOffset(ZoneOffset.UTC),
                NOW.plusSeconds(900).atOffset(ZoneOffset.UTC));
        return id;
    }

    private static String page() {
        return """
                # Lifecycles

                What becomes of an access request and of the approval that it may end in. These are the tables that the server
                moves them by; it refuses every other move. This page is generated: run
                `mvn -pl pdp-server -am -Dtest=LifecycleTest -Dsurefire.failIfNoSpecifiedTests=false -Dcountersign.write=true test`.

                ## Access requests

                ```mermaid
                %s```

                ## Approvals

                ```mermaid
                %s```
                """.formatted(AccessRequestLifecycle.TABLE.diagram(), ApprovalLifecycle.TABLE.diagram());
    }

    @Test
    void thePageShowsTheTables() throws IOException {
        Path file = RunningServer.checkout("docs/lifecycles.md");
        if (Boolean.getBoolean("countersign.write")) {
            Files.writeString(file, page());
        }
        assertThat(file)
                .as("docs/lifecycles.md is generated: run this test with -Dcountersign.write=true, and commit the file")
                .hasContent(page());
    }
}
