package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.http.HttpRequest;

/** What tests do around approvals: a call is denied, asked for, reviewed and made. */
final class Asks {
    static final String EVALUATION = "/access/v1/evaluation";
    static final String REQUESTS = "/access/v1/requests";
    static final String APPROVALS = "/api/v1/approvals";

    private Asks() {}

    /** A tool call of the agent `planner` that is not sure enough, so that a person has to approve it. */
    static ObjectNode call(String tool) {
        ObjectNode call = JsonNodeFactory.instance.objectNode();
        call.putObject("subject").put("type", "agent").put("id", "planner");
        call.putObject("action").put("name", tool);
        call.putObject("resource")
                .put("type", "tool")
                .put("id", tool)
                .putObject("properties")
                .put("amount", 100);
        call.putObject("context").put("confidence", 0.5);
        return call;
    }

    /** The answer to a call that is denied for want of approval. */
    static JsonNode denied(RunningServer server, String key, JsonNode call) {
        Reply reply = server.post(EVALUATION, key, call.toString());
        assertThat(reply.status()).as(reply.body()).isEqualTo(200);
        assertThat(reply.decision()).as(reply.body()).isFalse();
        assertThat(reply.json().at("/context/access_request").isObject())
                .as(reply.body())
                .isTrue();
        return reply.json();
    }

    /** The submission of a denied call. */
    static ObjectNode submission(JsonNode call, JsonNode denied) {
        ObjectNode body = call.deepCopy();
        JsonNode context = denied.path("context");
        ObjectNode denial = body.putObject("denial");
        denial.set("evaluation_id", context.path("evaluation_id"));
        denial.set("expires_at", context.at("/access_request/expires_at"));
        denial.set("reason", context.path("reason"));
        if (context.at("/access_request").has("binding_token")) {
            denial.set("binding_token", context.at("/access_request/binding_token"));
        }
        return body;
    }

    static Reply submit(RunningServer server, String key, JsonNode submission, String... headers) {
        HttpRequest.Builder request = server.request(REQUESTS, key)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(submission.toString()));
        return server.send(headers.length == 0 ? request : request.headers(headers));
    }

    /** The id of the access request that a denied call became. */
    static String requested(RunningServer server, String key, JsonNode call) {
        Reply reply = submit(server, key, submission(call, denied(server, key, call)));
        assertThat(reply.status()).as(reply.body()).isEqualTo(202);
        return reply.json().at("/task/id").asText();
    }

    static Reply approve(RunningServer server, String key, String id) {
        return server.post(APPROVALS + "/" + id + "/approve", key, "{}");
    }

    static Reply reject(RunningServer server, String key, String id) {
        return server.post(APPROVALS + "/" + id + "/reject", key, "{\"reason\": \"not today\"}");
    }

    /** The `approval` object of an approved task. */
    static JsonNode approval(RunningServer server, String key, String id) {
        Reply task = server.get(REQUESTS + "/" + id, key);
        assertThat(task.json().at("/task/status").asText()).as(task.body()).isEqualTo("approved");
        return task.json().at("/result/approval");
    }

    /** The call with an approval in its context. */
    static ObjectNode with(JsonNode call, JsonNode approval) {
        ObjectNode again = call.deepCopy();
        again.withObjectProperty("context").set("approval", approval);
        return again;
    }

    /** The same, to be reported by this id. */
    static ObjectNode with(JsonNode call, JsonNode approval, String executionId) {
        ObjectNode again = with(call, approval);
        again.withObjectProperty("context").put("execution_id", executionId);
        return again;
    }
}
