package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.http.ApplyingServer.Halt;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import dev.countersign.server.postgres.Sql;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A server that is killed while it runs an approved call runs it at most once, and what is uncertain is in doubt. */
@ExtendWith(PostgresExtension.class)
class ApplyKillTest {
    private static final String APPLY = "{\"approve_and_apply\": true}";
    private static final String NOT_STARTED = "{\"outcome\": \"failed\", \"not_started\": true}";

    @TempDir
    private static Path directory;

    private static PostgresAddress database;
    /** Another server on the same database, which nobody kills. */
    private static Approving other;

    private static ApplyingServer server;

    private String request = "";
    private JsonNode approval = Asks.call("pay");

    @BeforeAll
    static void start(@AsOwner PostgresAddress owner) throws IOException {
        database = owner;
        other = Approving.start(owner);
        server = ApplyingServer.start(directory, owner);
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
        other.server().close();
    }

    @BeforeEach
    void serve() throws IOException {
        if (!server.alive()) {
            server = ApplyingServer.start(directory, database);
        }
    }

    /** Has alice approve a call and the server run it, which is killed in the midst of it and started again. */
    private void applyAndKill(Halt when) throws IOException {
        request = other.requested(Asks.call("pay"));
        server.haltAt(when);
        assertThatThrownBy(() -> apply()).isInstanceOf(UncheckedIOException.class);
        assertThat(server.ended()).isEqualTo(ApplyingServer.HALTED);
        server = ApplyingServer.start(directory, database);
        approval = Asks.approval(other.server(), other.agent(), request);
    }

    private static String key(String name) {
        return other.server().key(name);
    }

    private static Reply post(String path, String key, String body) {
        return other.server().send(server.post(path, key, body));
    }

    private Reply apply() {
        return post(Asks.APPROVALS + "/" + request + "/approve", key("alice"), APPLY);
    }

    private String column(String name) throws SQLException {
        return Sql.query(
                database,
                "select " + name + " from approvals where id = '"
                        + approval.path("id").asText() + "'");
    }

    /** The state as everybody is told it, also by the other server. */
    private String status() {
        Reply seen = other.server().send(server.get(Asks.APPROVALS + "/" + request, key("bob")));
        String status = seen.json().at("/approval/status").asText();
        assertThat(other.seen(request).at("/approval/status").asText()).isEqualTo(status);
        return status;
    }

    /** The agent's own call with the approval. */
    private JsonNode ask(ObjectNode call) {
        Reply reply = post(Asks.EVALUATION, other.agent(), call.toString());
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return reply.json();
    }

    private ObjectNode call() {
        return Asks.with(Asks.call("pay"), approval);
    }

    private void canBeUsedOnce() {
        assertThat(Reply.decision(ask(call()))).isTrue();
        cannotBeUsed();
        assertThat(status()).isEqualTo("consumed");
    }

    private void cannotBeUsed() {
        Approving.refused(ask(call()), "approval_expired", "request");
    }

    /** Nobody waits for the report any longer. */
    private void reportIsLate() throws SQLException {
        Sql.execute(
                database,
                "update approvals set report_by = now() - interval '1 minute' where id = '"
                        + approval.path("id").asText() + "'");
        assertThat(status()).isEqualTo("in_doubt");
        RunningServer.until("the sweeper has noted it", () -> {
            Reply swept = post(Asks.APPROVALS + "/cleanup", key("bob"), "{}");
            assertThat(swept.status()).as(swept.body()).isEqualTo(200);
            return noted().equals("in_doubt");
        });
    }

    private String noted() {
        try {
            return column("status");
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    private Reply resolve(boolean ran) {
        return post(Asks.APPROVALS + "/" + request + "/resolve", key("bob"), "{\"ran\": " + ran + "}");
    }

    /** Everything that the servers before this one have left in the log is in the table. */
    private static void shipped() {
        RunningServer.until(
                "the log is shipped",
                () -> other.server()
                        .send(server.get("/metrics", key("operator")))
                        .body()
                        .lines()
                        .anyMatch("countersign_log_lag_bytes 0.0"::equals));
    }

    private static boolean logged(String decision) throws SQLException {
        return Sql.query(database, "select count(*) from decisions where id = '" + decision + "'")
                .equals("1");
    }

    @Test
    void killedOnceItIsApprovedNothingRanAndTheApprovalCanBeUsedOnce() throws Exception {
        applyAndKill(Halt.APPROVED);
        assertThat(column("decision")).isNull();
        assertThat(status()).isEqualTo("active");
        assertThat(apply().status()).isEqualTo(409);
        assertThat(resolve(false).status()).isEqualTo(409);
        canBeUsedOnce();
        assertThat(server.runs()).isZero();
    }

    @ParameterizedTest
    @CsvSource({
        "RESERVED, 0, false",
        "LOGGED, 0, false",
        "LOGGED, 0, true",
        "STARTED, 0, false",
        "CALLED, 0, false",
        "RAN, 1, true"
    })
    void killedBetweenTheReservationAndTheReportItIsInDoubtUntilAHumanSaysWhetherItRan(
            Halt when, int runs, boolean said) throws Exception {
        applyAndKill(when);
        assertThat(status()).isEqualTo("reserved");
        cannotBeUsed();
        assertThat(resolve(said).status()).isEqualTo(409);

        reportIsLate();
        cannotBeUsed();
        assertThat(apply().status()).isEqualTo(409);
        shipped();
        assertThat(logged(column("decision"))).isEqualTo(when != Halt.RESERVED);

        Reply resolved = resolve(said);
        assertThat(resolved.json().at("/approval/status").asText())
                .as(resolved.body())
                .isEqualTo(said ? "consumed" : "active");
        if (said) {
            cannotBeUsed();
        } else {
            canBeUsedOnce();
        }
        assertThat(resolve(false).status()).isEqualTo(409);
        assertThat(server.runs()).isEqualTo(runs);
    }

    @Test
    void killedOnceItIsReportedItRanOnceAndTheApprovalIsUsedUp() throws Exception {
        applyAndKill(Halt.REPORTED);
        assertThat(status()).isEqualTo("consumed");
        cannotBeUsed();
        assertThat(apply().status()).isEqualTo(409);
        assertThat(resolve(false).status()).isEqualTo(409);
        shipped();
        assertThat(logged(column("decision"))).isTrue();
        assertThat(Sql.query(
                        database,
                        "select status from action_executions where approval = '"
                                + approval.path("id").asText() + "'"))
                .isEqualTo("succeeded");
        assertThat(server.runs()).isOne();
    }

    @ParameterizedTest
    @EnumSource(
            value = Halt.class,
            names = {"LOGGED", "RAN"})
    void whoWantsTheCallCanNeitherTakeUpTheServersRunNorSayWhatBecameOfIt(Halt when) throws Exception {
        applyAndKill(when);
        Reply own = other.server().send(server.get(Asks.APPROVALS + "/" + request, other.agent()));
        String execution = own.json().at("/approval/execution_id").asText();
        assertThat(execution).isEqualTo(column("execution_id"));
        Reply taken = post(
                Asks.EVALUATION,
                other.agent(),
                Asks.with(Asks.call("pay"), approval, execution).toString());
        assertThat(taken.status()).as(taken.body()).isEqualTo(400);
        Reply reported = post("/api/v1/executions/" + execution + "/receipt", other.agent(), NOT_STARTED);
        assertThat(reported.status()).as(reported.body()).isEqualTo(404);
        assertThat(status()).isEqualTo("reserved");
        cannotBeUsed();
    }

    @Test
    void theServerMakesNoRunThatACallerHasNamed() throws Exception {
        other.entity("agent/agent", "{\"owner\": \"carol\"}");
        ObjectNode body = (ObjectNode)
                Reply.parse("{\"action\": \"pay\", \"params\": {\"amount\": 7}, \"context\": {\"confidence\": 0.5}}");
        Reply asked = post("/actions/named/request", other.agent(), body.toString());
        request = asked.json().path("approvalRequestId").asText();
        assertThat(other.approve("alice", request).status()).as(asked.body()).isEqualTo(200);
        approval = Asks.approval(other.server(), other.agent(), request);
        body.withObjectProperty("context").put("execution_id", "named-1").set("approval", approval);

        server.haltAt(Halt.NEVER);
        for (String path : new String[] {"execute", "request"}) {
            Reply refused = post("/actions/named/" + path, other.agent(), body.toString());
            assertThat(refused.status()).as(refused.body()).isEqualTo(400);
        }
        assertThat(status()).isEqualTo("active");
        assertThat(server.runs()).isZero();
    }

    @Test
    void aServerThatIsNotKilledRunsAnApprovedCallOnceAndTheApprovalIsUsedUp() throws Exception {
        request = other.requested(Asks.call("pay"));
        server.haltAt(Halt.NEVER);
        Reply applied = apply();
        assertThat(applied.json().at("/execution/status").asText())
                .as(applied.body())
                .isEqualTo("succeeded");
        approval = applied.json().path("approval");
        assertThat(status()).isEqualTo("consumed");
        assertThat(server.runs()).isOne();
    }
}
