package dev.countersign.server.http;

import static dev.countersign.server.http.Asking.batch;
import static dev.countersign.server.http.Asking.call;
import static dev.countersign.server.http.Asking.empty;
import static dev.countersign.server.http.Asking.entity;
import static dev.countersign.server.http.Asking.with;
import static dev.countersign.server.http.Asking.without;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Batches beyond the certification scenario (Authorization API 1.0, section 7). */
@ExtendWith(PostgresExtension.class)
class BatchTest {
    private static final String EVALUATIONS = "/access/v1/evaluations";

    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("examples/authzen-certification"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    private static ObjectNode yes() {
        return call("alice", "read", "record-1");
    }

    private static ObjectNode no() {
        return call("mallory", "read", "record-1");
    }

    private static ObjectNode incomplete() {
        return without(yes(), "action");
    }

    @Test
    void denyOnFirstDenyAnswersUpToTheFirstDenial() {
        assertThat(decide("deny_on_first_deny", yes(), yes(), no(), yes())).containsExactly(true, true, false);
        assertThat(decide("deny_on_first_deny", yes(), yes())).containsExactly(true, true);
        assertThat(decide("deny_on_first_deny", no(), yes())).containsExactly(false);
    }

    @Test
    void anErrorCountsAsADenialForDenyOnFirstDeny() {
        assertThat(decide("deny_on_first_deny", yes(), incomplete(), yes())).containsExactly(true, false);
    }

    @Test
    void permitOnFirstPermitAnswersUpToTheFirstPermit() {
        assertThat(decide("permit_on_first_permit", no(), no(), yes(), no())).containsExactly(false, false, true);
        assertThat(decide("permit_on_first_permit", no(), no())).containsExactly(false, false);
        assertThat(decide("permit_on_first_permit", yes(), no())).containsExactly(true);
    }

    @Test
    void anErrorDoesNotEndPermitOnFirstPermit() {
        assertThat(decide("permit_on_first_permit", incomplete(), yes(), no())).containsExactly(false, true);
    }

    @Test
    void executeAllIsTheDefaultAndGoesOnAfterErrors() {
        assertThat(decisions(batch(no(), incomplete(), yes()))).containsExactly(false, false, true);
        assertThat(decide("execute_all", no(), incomplete(), yes())).containsExactly(false, false, true);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"evaluations_semantic\": \"bogus\"}",
                "{\"evaluations_semantic\": \"DENY_ON_FIRST_DENY\"}",
                "{\"evaluations_semantic\": 1}",
                "{\"evaluations_semantic\": {}}",
                "\"execute_all\"",
                "[]"
            })
    void anUnknownSemanticIsABadRequest(String options) {
        ObjectNode batch = batch(yes());
        batch.set("options", Reply.parse(options));
        Reply reply = server.post(EVALUATIONS, batch.toString());
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.body()).contains("options");
    }

    @Test
    void unknownOptionsAreIgnored() {
        ObjectNode batch = batch(yes(), no());
        batch.putObject("options").put("future", 1).put("evaluations_semantic", "execute_all");
        assertThat(decisions(batch)).containsExactly(true, false);
    }

    @Test
    void anItemsEntityReplacesTheDefaultWholeItsPropertiesIncluded() {
        // Inherited properties would make the record archived, and bob may write archived records as an administrator.
        ObjectNode own = empty();
        own.set("resource", entity("record", "record-2"));
        ObjectNode batch = batch(own, empty());
        batch.set(
                "subject",
                with(call("bob", "x", "x"), "subject", "role", "admin").get("subject"));
        batch.putObject("action").put("name", "write");
        batch.set(
                "resource",
                with(call("x", "x", "record-2"), "resource", "status", "archived")
                        .get("resource"));
        assertThat(decisions(batch)).containsExactly(false, true);
    }

    @Test
    void anItemsSubjectAndActionDoNotInheritPropertiesEither() {
        ObjectNode subject = empty();
        subject.set("subject", entity("user", "bob"));
        ObjectNode archived = with(call("x", "x", "record-2"), "resource", "status", "archived");
        ObjectNode batch = batch(subject);
        batch.set(
                "subject",
                with(call("bob", "x", "x"), "subject", "role", "admin").get("subject"));
        batch.putObject("action").put("name", "write");
        batch.set("resource", archived.get("resource"));
        assertThat(decisions(batch)).containsExactly(false);

        ObjectNode action = empty();
        action.putObject("action").put("name", "delete");
        ObjectNode soft = with(call("alice", "delete", "record-1"), "action", "soft", true);
        ObjectNode inheriting = batch(action, empty());
        inheriting.setAll(soft);
        assertThat(decisions(inheriting)).containsExactly(false, true);
    }

    @Test
    void anItemsEntityOfNullDoesNotInherit() {
        ObjectNode item = empty();
        item.putNull("resource");
        ObjectNode batch = batch(item);
        batch.setAll(yes());
        assertThat(decisions(batch)).containsExactly(false);
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "\"x\"", "null", "true", "[]", "[{}]"})
    void anItemThatIsNoObjectIsDeniedAndTheOthersAreDecided(String item) {
        ObjectNode batch = batch(yes());
        ((ArrayNode) batch.get("evaluations")).add(Reply.parse(item)).add(yes());
        JsonNode answer = server.post(EVALUATIONS, batch.toString()).json();
        assertThat(decisions(answer)).containsExactly(true, false, true);
        assertThat(answer.at("/evaluations/1/context/error/status").asInt()).isEqualTo(400);
        assertThat(answer.at("/evaluations/1/context/reason").asText()).isEqualTo("invalid_request");
    }

    @ParameterizedTest
    @ValueSource(strings = {"1", "\"x\"", "true", "{}"})
    void evaluationsThatAreNoArrayAreABadRequest(String evaluations) {
        ObjectNode batch = yes();
        batch.set("evaluations", Reply.parse(evaluations));
        Reply reply = server.post(EVALUATIONS, batch.toString());
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.body()).contains("evaluations").doesNotContain("\"decision\"");
    }

    @Test
    void aThousandItemsAreAnsweredAndOneMoreIsABadRequest() {
        var batch = empty();
        batch.setAll(yes());
        ArrayNode items = batch.putArray("evaluations");
        for (int i = 0; i < 1_000; i++) {
            items.addObject();
        }
        assertThat(decisions(batch)).hasSize(1_000).containsOnly(true);
        items.addObject();
        Reply reply = server.post(EVALUATIONS, batch.toString());
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.body()).contains("1000").doesNotContain("\"decision\"");
    }

    @Test
    void plainItemsCarryNoContextUnlessTheCallerAsksForAll() {
        ObjectNode batch = batch(yes(), no());
        Reply plain = server.post(EVALUATIONS, batch.toString());
        assertThat(plain.body()).isEqualTo("{\"evaluations\":[{\"decision\":true},{\"decision\":false}]}");
        batch.putObject("options").put("context", "full");
        JsonNode full = server.post(EVALUATIONS, batch.toString()).json();
        assertThat(full.at("/evaluations/0/context/reason").asText()).isEqualTo("READ");
        assertThat(full.at("/evaluations/1/context/reason").asText()).isEqualTo("no_rule_allows");
        assertThat(full.has("decision")).isFalse();
    }

    private static List<Boolean> decide(String semantic, ObjectNode... items) {
        ObjectNode batch = batch(items);
        batch.putObject("options").put("evaluations_semantic", semantic);
        return decisions(batch);
    }

    private static List<Boolean> decisions(ObjectNode batch) {
        Reply reply = server.post(EVALUATIONS, batch.toString());
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        return decisions(reply.json());
    }

    private static List<Boolean> decisions(JsonNode answer) {
        assertThat(answer.has("decision")).isFalse();
        var decisions = new ArrayList<Boolean>();
        answer.path("evaluations").forEach(item -> decisions.add(Reply.decision(item)));
        return decisions;
    }

    @Test
    void defaultsThatItemsMultiplyBeyondReasonAreRefusedAndTheLoopGoesOn() {
        ObjectNode batch = batch(yes(), yes());
        var items = batch.putArray("evaluations");
        for (int i = 0; i < 1_000; i++) {
            items.addObject();
        }
        ObjectNode own = yes();
        own.fieldNames().forEachRemaining(part -> batch.set(part, own.get(part)));
        batch.putObject("context").put("pad", "x".repeat(900_000));
        assertThat(server.post("/access/v1/evaluations", batch.toString()).status())
                .isEqualTo(400);
        for (int i = 0; i < 20; i++) {
            assertThat(decisions(batch(yes(), no()))).containsExactly(true, false);
        }
    }
}
