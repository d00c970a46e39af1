package dev.countersign.server.http;

import static dev.countersign.server.http.BadInputTest.failed;
import static dev.countersign.server.http.Publishing.PACKS;
import static dev.countersign.server.http.Publishing.activate;
import static dev.countersign.server.http.Publishing.allows;
import static dev.countersign.server.http.Publishing.path;
import static dev.countersign.server.http.Publishing.pay;
import static dev.countersign.server.http.Publishing.publish;
import static dev.countersign.server.http.Publishing.upload;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Versions that are evaluated beside those that answer. */
@ExtendWith(PostgresExtension.class)
class PackShadowTest {
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static JsonNode get(String path, String secret) {
        Reply reply = server.get(path, secret);
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    @Test
    void aShadowIsEvaluatedBesideAndNeverAnswers() {
        Publishers mine = Publishers.of(server, server, "pack-shadow");
        assertThat(publish(server, mine.first(), "payments", 100).status()).isEqualTo(201);
        failed(server.get(path("payments") + "/shadow", mine.first()), PACKS, 404);
        ObjectNode body = upload("payments", 10).put("mode", "shadow");
        Reply published = server.post(path("payments") + "/versions", mine.first(), body.toString());
        assertThat(published.status()).as(published.body()).isEqualTo(201);
        JsonNode inForce = get(path("payments"), mine.first());
        assertThat(inForce.path("active").asLong()).isEqualTo(1);
        assertThat(inForce.path("shadow").asLong()).isEqualTo(2);

        JsonNode answered = pay(server, mine.decide(), 50);
        assertThat(Reply.decision(answered)).isTrue();
        assertThat(answered.toString()).doesNotContain("TOO_MUCH_10");
        assertThat(allows(server, mine.decide(), 5)).isTrue();
        assertThat(allows(server, mine.decide(), 101)).isFalse();
        String shadow = path("payments") + "/shadow";
        RunningServer.until(
                "three were compared",
                () -> get(shadow, mine.first()).path("compared").asLong() == 3);
        JsonNode seen = get(shadow, mine.first());
        assertThat(seen.path("version").asLong()).isEqualTo(2);
        assertThat(seen.path("differences")).hasSize(1);
        JsonNode difference = seen.at("/differences/0");
        assertThat(difference.path("answered").asText()).isEqualTo("allow");
        assertThat(difference.path("said").asText()).isEqualTo("deny");
        assertThat(difference.path("count").asLong()).isEqualTo(1);
        assertThat(difference.at("/examples/0/decision").asText())
                .isEqualTo(answered.at("/context/evaluation_id").asText());
        assertThat(server.get("/metrics", server.key("operator")).body())
                .contains("countersign_shadow_decisions_total{answered=\"allow\",said=\"deny\"}");

        failed(activate(server, mine.first(), "payments", "{\"version\": 1, \"mode\": \"shadow\"}"), PACKS, 422);
        assertThat(activate(server, mine.first(), "payments", "{\"version\": 2}")
                        .status())
                .isEqualTo(200);
        assertThat(allows(server, mine.decide(), 50)).isFalse();
        assertThat(get(path("payments"), mine.first()).path("shadow").isNull()).isTrue();
    }

    @Test
    void theOperatorHasNoShadowAsItSeesNoDecisions() {
        ObjectNode body = upload("for-nobody", 10).put("mode", "shadow");
        Reply refused = server.post(path("for-nobody") + "/versions", server.key("operator"), body.toString());
        failed(refused, PACKS, 422);
        assertThat(allows(server, server.key("agent"), 11)).isTrue();
    }
}
