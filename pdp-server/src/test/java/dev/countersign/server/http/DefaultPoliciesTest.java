package dev.countersign.server.http;

import static dev.countersign.server.http.Managing.made;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import java.io.IOException;
import java.util.ArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A tenant's default set holds for every user, and each known user is given a copy of it once. */
@ExtendWith(PostgresExtension.class)
class DefaultPoliciesTest {
    private static final int CLIENTS = 64;
    private static final String POLICIES = "/api/v1/policies";

    private static RunningServer server;
    private static RunningServer other;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
        other = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
        for (String action : new String[] {"spend", "share"}) {
            made(server.post(POLICIES, server.key("admin"), """
                    {"name": "no %s", "scope": "user", "scope_ref": "*", "effect": "deny", "action_pattern": "%s"}""".formatted(action, action)));
        }
    }

    @AfterAll
    static void stop() throws IOException {
        other.close();
        server.close();
    }

    private static Reply spend(RunningServer at, String user) {
        return at.post("/access/v1/evaluation", server.key("agent"), """
                {"subject": {"type": "user", "id": "%s"}, "action": {"name": "spend"},
                 "resource": {"type": "wallet", "id": "1"}}""".formatted(user));
    }

    private static long copies(PostgresAddress database, String user) throws Exception {
        return Long.parseLong(Sql.query(
                database, "select count(*) from policies where scope = 'user' and scope_ref = '" + user + "'"));
    }

    @Test
    void parallelFirstUseCopiesThemOnce(@AsOwner PostgresAddress database) throws Exception {
        server.put("/api/v1/entities/user/zoe", server.key("admin"), "{}");
        ExecutorService clients = Executors.newFixedThreadPool(CLIENTS);
        try {
            var together = new CountDownLatch(CLIENTS);
            var answers = new ArrayList<Future<Reply>>();
            for (int i = 0; i < CLIENTS; i++) {
                RunningServer at = i % 2 == 0 ? server : other;
                answers.add(clients.submit(() -> {
                    together.countDown();
                    together.await();
                    return spend(at, "zoe");
                }));
            }
            for (Future<Reply> answer : answers) {
                assertThat(answer.get().decision()).isFalse();
            }
        } finally {
            clients.shutdown();
        }
        waitFor(database, "zoe");
        assertThat(copies(database, "zoe")).isEqualTo(2);
        assertThat(Sql.query(database, "select count(*) from policy_users where user_id = 'zoe'"))
                .isEqualTo("1");
        assertThat(spend(server, "zoe").decision()).isFalse();
    }

    private static void waitFor(PostgresAddress database, String user) {
        RunningServer.until("they are copied", () -> {
            try {
                return copies(database, user) > 0;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    @Test
    void anIdThatNobodyKnowsWritesNothing(@AsOwner PostgresAddress database) throws Exception {
        assertThat(spend(server, "nobody-1").decision())
                .as("the set holds all the same")
                .isFalse();
        server.put("/api/v1/entities/user/known", server.key("admin"), "{}");
        assertThat(spend(server, "known").decision()).isFalse();
        waitFor(database, "known");
        assertThat(copies(database, "nobody-1")).isZero();
    }

    @Test
    void whoAsksForThemselvesIsKnown(@AsOwner PostgresAddress database) throws Exception {
        Reply reply = server.post("/v1/policy/evaluate", server.key("alice"), "{\"action\": \"share\"}");
        assertThat(reply.json().path("decision").asText()).isEqualTo("deny");
        waitFor(database, "alice");
        assertThat(copies(database, "alice")).isEqualTo(2);
    }

    @Test
    void aRowThatTakesTheSetOffAUserWaitsForASecondPerson() {
        Reply row = server.post(POLICIES, server.key("author"), """
                {"name": "unrelated", "scope": "user", "scope_ref": "mallory", "effect": "deny",
                 "action_pattern": "nothing", "enabled": false}""");
        assertThat(row.status()).as(row.body()).isEqualTo(202);
        assertThat(row.json().at("/diff/widening").asText()).isNotEqualTo("no");
    }

    @Test
    void copiesAreTheUsersOwn(@AsOwner PostgresAddress database) throws Exception {
        server.put("/api/v1/entities/user/own", server.key("admin"), "{}");
        assertThat(spend(server, "own").decision()).isFalse();
        waitFor(database, "own");
        var rows = server.get(POLICIES + "?scope=user&scope_ref=own", server.key("author"))
                .json()
                .path("policies");
        assertThat(rows).hasSize(2);
        assertThat(rows.get(0).path("owner").asText()).isEqualTo("own");
        assertThat(rows.get(0).has("created_by")).isFalse();
    }
}
