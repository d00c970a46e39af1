package dev.countersign.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.postgres.AsOwner;
import dev.countersign.server.postgres.PostgresAddress;
import dev.countersign.server.postgres.PostgresExtension;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The discovery level of the AuthZEN 1.0 certification scenario; each name begins with the scenario's own id. */
@ExtendWith(PostgresExtension.class)
class DiscoveryTest {
    private static RunningServer server;

    @BeforeAll
    static void start(@AsOwner PostgresAddress database) {
        server = RunningServer.start(database, RunningServer.checkout("examples/authzen-certification"));
    }

    @AfterAll
    static void stop() throws IOException {
        server.close();
    }

    @Test
    @DisplayName("c-6-1: metadata is a 200 of JSON, open to all and good for a while")
    void metadataTransport() {
        Reply reply = server.get("/.well-known/authzen-configuration");
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.header("Content-Type")).isEqualTo("application/json");
        assertThat(reply.header("Cache-Control")).isEqualTo("public, max-age=300");
    }

    @Test
    @DisplayName("c-6-2, c-6-5: the decision point is the base URL whatever Host says")
    void metadataIdentity() throws IOException {
        assertThat(metadata().path("policy_decision_point").asText()).isEqualTo(server.url());
        String answer = server.raw("GET /.well-known/authzen-configuration HTTP/1.1\r\nHost: evil.example\r\n"
                + "X-Forwarded-Host: evil.example\r\nConnection: close\r\n\r\n");
        assertThat(answer).startsWith("HTTP/1.1 200").contains(server.url()).doesNotContain("evil.example");
    }

    @Test
    @DisplayName("c-6-3, c-6-4, c-6-6: endpoints are below the base URL; no member is null or empty")
    void metadataMembers() {
        JsonNode metadata = metadata();
        metadata.properties().forEach(member -> {
            assertThat(member.getValue().isNull()).as(member.getKey()).isFalse();
            if (member.getKey().endsWith("_endpoint")) {
                assertThat(member.getValue().asText()).startsWith(server.url() + "/");
            }
            if (member.getValue().isArray()) {
                assertThat(member.getValue()).as(member.getKey()).isNotEmpty();
            }
        });
        assertThat(metadata.has("signed_metadata")).isFalse();
        for (JsonNode capability : metadata.path("capabilities")) {
            assertThat(capability.asText()).startsWith("urn:");
        }
        assertThat(metadata.path("supported_obligations"))
                .extracting(JsonNode::asText)
                .containsExactly("custom", "notification", "session_termination", "step-up");
    }

    private static JsonNode metadata() {
        return server.get("/.well-known/authzen-configuration").json();
    }
}
