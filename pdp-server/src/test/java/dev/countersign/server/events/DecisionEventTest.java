package dev.countersign.server.events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DecisionEventTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long SEED = 5;
    private static final String[] PIECES = {"a", "\0", "\"", "\\", "ö", "漢", "\uD83D\uDE80", "\uD800", "\uDC00", "\n"};

    private static ObjectNode entry(String decision) {
        ObjectNode entry = JSON.createObjectNode()
                .put("type", "decision")
                .put("id", "019aa8c5-1c2d-7abc-8def-0123456789ab")
                .put("at", "2026-11-21T23:59:59.600Z")
                .put("tenant", "acme")
                .put("caller", "csk_1")
                .put("decision", decision)
                .put("reason", "NO")
                .put("policy", "pack/rule");
        entry.putObject("subject").put("type", "agent").put("id", "bot");
        entry.put("action", "pay");
        entry.putObject("resource").put("type", "tool").put("id", "till");
        entry.put("dialect", "authzen").put("permitted", false).put("risk", "high");
        entry.putObject("request").putObject("context").put("zone", "eu").put("note", "private");
        return entry;
    }

    private static JsonNode event(JsonNode entry) throws IOException {
        return JSON.readTree(made(entry).body());
    }

    private static DecisionEvent made(JsonNode entry) throws IOException {
        byte[] bytes = ("  " + entry + " ").getBytes(StandardCharsets.UTF_8);
        return DecisionEvent.of(bytes, 2, bytes.length - 3);
    }

    @Test
    void itHoldsWhatTellsWhatHappenedAndNothingElseOfTheRequest() throws IOException {
        assertThat(event(entry("deny")).toString())
                .isEqualTo(("{'specversion':'1.0','id':'019aa8c5-1c2d-7abc-8def-0123456789ab',"
                                + "'source':'/tenants/acme/decisions','type':'policy.denied',"
                                + "'time':'2026-11-21T23:59:59.600Z','subject':'agent:bot',"
                                + "'datacontenttype':'application/json',"
                                + "'data':{'decision_id':'019aa8c5-1c2d-7abc-8def-0123456789ab','decision':'deny',"
                                + "'reason':'NO','policy_id':'pack/rule','risk':'high','subject_type':'agent',"
                                + "'subject_id':'bot','action':'pay','resource_type':'tool','resource_id':'till',"
                                + "'zone':'eu','dialect':'authzen'}}")
                        .replace('\'', '"'));
    }

    @ParameterizedTest
    @CsvSource({
        "deny, false, policy.denied, deny",
        "require_approval, false, policy.requires_approval, require_approval",
        "allow, false, policy.denied, deny"
    })
    void whatTheWireDidNotLetRunIsTold(String decision, boolean permitted, String type, String told)
            throws IOException {
        JsonNode event = event(entry(decision).put("permitted", permitted));
        assertThat(event.path("type").asText()).isEqualTo(type);
        assertThat(event.at("/data/decision").asText()).isEqualTo(told);
    }

    @Test
    void anAllowIsNotTold() throws IOException {
        assertThat(made(entry("allow").put("permitted", true))).isNull();
    }

    @Test
    void aZoneThatIsNoTextIsLeftOut() throws IOException {
        ObjectNode entry = entry("deny");
        entry.withObject("/request/context").putObject("zone").put("sha256", "00");
        assertThat(event(entry).path("data").has("zone")).isFalse();
    }

    @Test
    void anIdThatFitsStaysWholeAndLongOnesAreCut() throws IOException {
        ObjectNode entry = entry("deny");
        entry.withObject("/resource").put("id", "x".repeat(900));
        assertThat(event(entry).at("/data/resource_id").asText()).hasSize(900);
        entry.withObject("/resource").put("id", "x".repeat(5_000));
        JsonNode cut = event(entry);
        assertThat(cut.at("/data/resource_id").asText()).startsWith("xxxx").endsWith("\u2026");
        assertThat(cut.at("/data/subject_id").asText()).isEqualTo("bot");
    }

    @Test
    void itIsSmallAndOnOneLineWhateverTheTextsHold() throws IOException {
        var random = new Random(SEED);
        for (int round = 0; round < 200; round++) {
            ObjectNode entry = entry("deny").put("reason", text(random)).put("policy", text(random));
            entry.put("risk", text(random)).put("action", text(random)).put("tenant", "a b/ö");
            for (String part : List.of("/subject", "/resource")) {
                entry.withObject(part).put("type", text(random)).put("id", text(random));
            }
            entry.withObject("/request/context").put("zone", text(random));
            DecisionEvent event = made(entry);
            assertThat(event.body().length).as("seed %d, round %d", SEED, round).isLessThanOrEqualTo(2_048);
            String body = new String(event.body(), StandardCharsets.UTF_8);
            assertThat(body).doesNotContain("\n", "\r", "\0");
            assertThat(JSON.readTree(body).path("source").asText()).isEqualTo("/tenants/a%20b%2F%C3%B6/decisions");
        }
    }

    @Test
    void whatIsNotJsonIsRefused() {
        byte[] broken = entry("deny").toString().replace("\"risk\"", "risk").getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> DecisionEvent.of(broken, 0, broken.length)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> DecisionEvent.of(new byte[] {'[', ']'}, 0, 2)).isInstanceOf(IOException.class);
    }

    private static String text(Random random) {
        var text = new StringBuilder();
        for (int i = random.nextInt(random.nextBoolean() ? 20 : 2_000); i >= 0; i--) {
            text.append(PIECES[random.nextInt(PIECES.length)]);
        }
        return text.toString();
    }
}
