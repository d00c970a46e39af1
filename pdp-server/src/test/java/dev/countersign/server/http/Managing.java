package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;

/** What tests do that manage tenants and keys over HTTP. */
final class Managing {
    static final String KEYS = "/api/v1/keys";
    static final String TENANTS = "/api/v1/tenants";

    private static final String CALL = """
            {"subject": {"type": "user", "id": "alice"}, "action": {"name": "read"},
             "resource": {"type": "record", "id": "record-1"}}""";

    private Managing() {}

    static JsonNode made(Reply reply) {
        assertThat(reply.status()).as(reply.body()).isEqualTo(201);
        return reply.json();
    }

    static int decides(RunningServer at, JsonNode key) {
        return at.post("/access/v1/evaluation", key.path("secret").asText(), CALL)
                .status();
    }

    static String path(JsonNode key) {
        return KEYS + "/" + key.path("id").asText();
    }

    /** A tenant of its own, and its administrator's secret. */
    static String tenant(RunningServer server, String id) {
        return made(server.post(
                        TENANTS, server.key("operator"), "{\"id\": \"" + id + "\", \"administrator\": \"Ada\"}"))
                .at("/key/secret")
                .asText();
    }
}
