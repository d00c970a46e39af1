package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.metrics.Metric;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.nio.file.Files;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Afterwards one can see what was asked, who said what, and what ran because of it. */
@ExtendWith(PostgresExtension.class)
class ApprovalTrailTest {
    private static RunningServer server;
    private static String agent;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("rules/packs/base"));
        agent = server.key("agent");
        server.put("/api/v1/entities/agent/planner", server.key("admin"), "{\"owner\": \"carol\"}");
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    @Test
    void oneCallReturnsTheWholeWayFromDenialToReceipt() {
        ObjectNode call = Asks.call("trail");
        JsonNode denied = Asks.denied(server, agent, call);
        String id = Asks.submit(server, agent, Asks.submission(call, denied))
                .json()
                .at("/task/id")
                .asText();
        Asks.approve(server, server.key("bob"), id);
        ObjectNode used = Asks.with(call, Asks.approval(server, agent, id), "trail-1");
        String use = server.post(Asks.EVALUATION, agent, used.toString())
                .json()
                .at("/context/evaluation_id")
                .asText();
        server.post("/api/v1/executions/trail-1/receipt", agent, "{\"outcome\": \"succeeded\", \"attempts\": 2}");
        server.record(use, server.key("admin"));
        Reply reply = server.get(Asks.APPROVALS + "/" + id + "/trail", server.key("admin"));
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        JsonNode trail = reply.json();
        assertThat(trail.at("/denial/id")).isEqualTo(denied.at("/context/evaluation_id"));
        assertThat(trail.at("/request/reviews/0/vote").asText()).isEqualTo("approve");
        assertThat(trail.at("/request/approval/status").asText()).isEqualTo("consumed");
        assertThat(trail.at("/use/id").asText()).isEqualTo(use);
        assertThat(trail.at("/use/approval/used").asBoolean()).isTrue();
        assertThat(trail.at("/executions/0/attempts").asInt()).isEqualTo(2);
        assertThat(trail.path("events"))
                .extracting(event -> event.path("type").asText())
                .containsExactly("approval.requested", "approval.approved", "approval.reserved", "approval.consumed");
        assertThat(server.get(Asks.APPROVALS + "/" + id + "/trail", server.key("bob"))
                        .status())
                .isEqualTo(403);
    }

    @Test
    void theNumbersSayHowRequestsFareByActionAndByPerson() {
        String one = Asks.requested(server, agent, Asks.call("counted"));
        String two = Asks.requested(server, agent, Asks.call("counted"));
        Asks.requested(server, agent, Asks.call("counted"));
        Asks.approve(server, server.key("bob"), one);
        Asks.reject(server, server.key("bob"), two);
        JsonNode stats =
                server.get(Asks.APPROVALS + "/stats?days=1", server.key("bob")).json();
        JsonNode counted = null;
        for (JsonNode each : stats.path("by_action_type")) {
            counted = each.path("action_type").asText().equals("counted") ? each : counted;
        }
        assertThat(counted).isNotNull();
        assertThat(counted.path("requested").asInt()).isEqualTo(3);
        assertThat(counted.path("pending").asInt()).isEqualTo(1);
        assertThat(counted.path("rejection_rate").asDouble()).isEqualTo(0.5);
        assertThat(stats.at("/by_user/0/user").asText()).isEqualTo("bob");
        assertThat(stats.path("oldest_pending_seconds").isNumber()).isTrue();
        RunningServer.until(
                "the operator sees what waits",
                () -> server.get("/metrics", server.key("operator"))
                        .body()
                        .lines()
                        .anyMatch(line -> line.startsWith("countersign_approvals_pending ")
                                && Double.parseDouble(line.substring(line.lastIndexOf(' '))) >= 1));
        assertThat(server.get("/metrics", server.key("operator")).body())
                .contains("countersign_approvals_ended_total{status=\"denied\"} 1.0");
    }

    @Test
    void everyMetricThatAnAlertAsksForIsThere() throws IOException {
        var known = new TreeSet<String>();
        for (Metric metric : Metric.values()) {
            known.add(metric.prometheus());
        }
        var asked = new TreeSet<String>();
        var names = Pattern.compile("countersign_[a-z_]+")
                .matcher(Files.readString(RunningServer.checkout("dashboards/prometheus/approvals.rules.yml")));
        while (names.find()) {
            asked.add(names.group());
        }
        assertThat(asked).isNotEmpty().isSubsetOf(known);
    }
}
