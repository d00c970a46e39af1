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
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
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

    private static Reply stored(Publishers by, String name, String mode) {
        ObjectNode body = upload(name, 10).put("mode", mode);
        return server.post(path(name) + "/versions", by.first(), body.toString());
    }

    @Test
    void shadowsHaveFewRulesTogether(@AsOwner PostgresAddress database) throws Exception {
        Publishers mine = Publishers.of(server, server, "pack-shadows");
        Reply first = stored(mine, "first", "off");
        assertThat(first.status()).as(first.body()).isEqualTo(201);
        assertThat(first.json().at("/report/rules").asInt()).isEqualTo(1);
        Sql.execute(database, """
                update rule_packs set report = jsonb_set(report::jsonb, '{rules}', '2000')::text
                where tenant = 'pack-shadows'""");
        String shadow = "{\"version\": 1, \"mode\": \"shadow\"}";
        assertThat(activate(server, mine.first(), "first", shadow).status()).isEqualTo(200);

        Reply published = stored(mine, "second", "shadow");
        assertThat(published.status()).as(published.body()).isEqualTo(409);
        Reply refused = activate(server, mine.first(), "second", shadow);
        failed(refused, PACKS, 422);
        assertThat(refused.json().path("detail").asText())
                .contains("2001 rules")
                .contains("2000");
        assertThat(get(path("second"), mine.first()).path("shadow").isNull()).isTrue();

        assertThat(activate(server, mine.first(), "first", "{\"mode\": \"off\"}")
                        .status())
                .isEqualTo(200);
        assertThat(activate(server, mine.first(), "second", shadow).status()).isEqualTo(200);
    }

    @Test
    void thePacksOfATenantHaveABoundedTextAndAreTakenOutHoweverLongItIs(@AsOwner PostgresAddress database)
            throws Exception {
        Publishers mine = Publishers.of(server, server, "pack-heavy");
        assertThat(publish(server, mine.first(), "payments", 10).status()).isEqualTo(201);
        assertThat(stored(mine, "heavy", "off").status()).isEqualTo(201);
        Sql.execute(database, """
                update rule_packs set files = files || repeat(' ', 4 << 20)
                where tenant = 'pack-heavy' and name = 'heavy'""");
        for (String mode : new String[] {"active", "shadow"}) {
            Reply refused = activate(server, mine.first(), "heavy", "{\"version\": 1, \"mode\": \"" + mode + "\"}");
            failed(refused, PACKS, 422);
            assertThat(refused.json().path("detail").asText()).contains("4194304");
        }
        Sql.execute(database, """
                insert into rule_packs_in_force (tenant, name, change, active, changed_at, changed_by)
                values ('pack-heavy', 'heavy', 1, 1, now(), 'sql')""");
        RunningServer.until(
                "both judge",
                () -> activate(server, mine.first(), "payments", "{\"mode\": \"off\"}")
                                .status()
                        == 200);
        assertThat(allows(server, mine.decide(), 11)).isFalse();
        assertThat(allows(server, mine.decide(), 10)).isTrue();
    }

    @Test
    void noVersionAnswersAndIsAShadowToo(@AsOwner PostgresAddress database) {
        Publishers mine = Publishers.of(server, server, "pack-both");
        assertThat(publish(server, mine.first(), "payments", 10).status()).isEqualTo(201);
        assertThatThrownBy(() -> Sql.execute(
                        database, "update rule_packs_in_force set shadow = active where tenant = 'pack-both'"))
                .hasMessageContaining("check constraint");
    }
}
