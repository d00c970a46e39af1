package dev.countersign.server.webhooks;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A channel reads who wants to do what, and nothing that a call or a person has written can pose as more than text. */
class WebhookSlackTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    private static ObjectNode event(String type) {
        ObjectNode event = JSON.createObjectNode().put("type", type);
        event.putObject("data")
                .put("subject_type", "agent")
                .put("subject_id", "bot")
                .put("action", "refund")
                .put("resource_type", "order")
                .put("resource_id", "42")
                .put("request_id", "r-1")
                .put("policy_id", "refunds")
                .put("reason", "amount 500 is a secret")
                .put("note", "secret note");
        return event;
    }

    private static String text(ObjectNode event) throws Exception {
        var body = JSON.readTree(SlackText.body(event.toString()));
        assertThat(body.size()).isEqualTo(1);
        return body.get("text").asText();
    }

    @Test
    void aDenialSaysWhoWasDeniedWhatByWhichPolicy() throws Exception {
        assertThat(text(event("policy.denied"))).isEqualTo("agent:bot was denied refund on order:42 by refunds");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "policy.denied",
                "policy.requires_approval",
                "approval.requested",
                "approval.reviewed",
                "approval.escalated",
                "approval.reassigned",
                "approval.approved",
                "approval.break_glass",
                "approval.break_glass_reviewed",
                "approval.denied",
                "approval.expired",
                "approval.cancelled",
                "approval.reserved",
                "approval.consumed",
                "approval.freed",
                "approval.revoked",
                "approval.lapsed",
                "approval.in_doubt"
            })
    void everyTypeHasASentenceWithoutReasonsAndNotes(String type) throws Exception {
        assertThat(text(event(type)))
                .contains("agent:bot", "refund", "order:42")
                .doesNotContain("secret")
                .doesNotContain("Event ");
    }

    @Test
    void noTwoTypesReadTheSame() throws Exception {
        Set<String> sentences = new HashSet<>();
        for (String kind : new String[] {"reserved", "consumed", "freed", "revoked", "lapsed", "expired", "denied"}) {
            assertThat(sentences.add(text(event("approval." + kind)))).as(kind).isTrue();
        }
    }

    @Test
    void namesArePlainTextOnOneLineOfBoundedLength() throws Exception {
        ObjectNode event = event("policy.denied");
        ((ObjectNode) event.get("data"))
                .put("subject_id", "<!channel> & <https://evil.example|click>\n\u202eline")
                .put("resource_id", "\ud83d\ude00".repeat(100_000));
        assertThat(text(event))
                .startsWith("agent:&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;  line was denied")
                .doesNotContain("<", ">", "\n")
                .hasSizeLessThan(1_000);
    }

    @Test
    void anEventOfAnUnknownTypeIsNamed() throws Exception {
        assertThat(text(event("pack.<published>"))).isEqualTo("Event pack.&lt;published&gt;");
    }
}
