package dev.countersign.server.http;

import static dev.countersign.server.http.Managing.made;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import java.util.ArrayList;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** No decision is by half a change: rows that change together judge together, on every server. */
@ExtendWith(PostgresExtension.class)
class RowsInForceTest {
    private static final int CHANGES = 30;
    private static final int CLIENTS = 4;

    private static Set<String> reasons(RunningServer at, String secret) {
        Reply reply =
                at.post("/v1/authorize/action", secret, "{\"action\": \"both\", \"context\": {\"confidence\": 0.99}}");
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        var reasons = new TreeSet<String>();
        for (JsonNode reason : reply.json().path("reasons")) {
            reasons.add(reason.asText());
        }
        return reasons;
    }

    @Test
    void rowsThatChangeTogetherJudgeTogether(@AsOwner PostgresAddress database) throws Exception {
        try (var one = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
                var two = RunningServer.start(database, RunningServer.checkout("rules/packs/base"))) {
            for (String half : new String[] {"LEFT", "RIGHT"}) {
                made(one.post("/api/v1/policies", one.key("admin"), """
                        {"name": "%s", "scope": "tenant", "effect": "deny", "action_pattern": "both", "reason": "OLD_%s"}""".formatted(half, half)));
            }
            var changing = new AtomicBoolean(true);
            var asked = new AtomicInteger();
            var seen = new ArrayList<CompletableFuture<Set<Set<String>>>>();
            for (int i = 0; i < CLIENTS; i++) {
                RunningServer at = i % 2 == 0 ? one : two;
                seen.add(CompletableFuture.supplyAsync(() -> {
                    var kinds = new java.util.HashSet<Set<String>>();
                    while (changing.get()) {
                        kinds.add(reasons(at, one.key("agent")));
                        asked.incrementAndGet();
                    }
                    return kinds;
                }));
            }
            for (int change = 0; change < CHANGES; change++) {
                String from = change % 2 == 0 ? "OLD_" : "NEW_";
                String to = change % 2 == 0 ? "NEW_" : "OLD_";
                Sql.execute(
                        database,
                        "update policies set reason = replace(reason, '" + from + "', '" + to
                                + "'), version = version + 1" + " where action_pattern = 'both'");
                String now = to + "LEFT";
                RunningServer.until(
                        "both servers know",
                        () -> reasons(one, one.key("agent")).contains(now)
                                && reasons(two, one.key("agent")).contains(now));
            }
            changing.set(false);
            var kinds = new java.util.HashSet<Set<String>>();
            seen.forEach(each -> kinds.addAll(each.join()));
            assertThat(kinds)
                    .containsExactlyInAnyOrder(Set.of("OLD_LEFT", "OLD_RIGHT"), Set.of("NEW_LEFT", "NEW_RIGHT"));
            assertThat(asked.get()).isPositive();
        }
    }
}
