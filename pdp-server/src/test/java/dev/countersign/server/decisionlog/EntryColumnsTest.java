package dev.countersign.server.decisionlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class EntryColumnsTest {
    private static final String ID = "019aa8c5-1c2d-7abc-8def-0123456789ab";
    private static final String FRONT = "{\"type\":\"decision\",\"id\":\"" + ID
            + "\",\"at\":\"2026-11-21T23:59:59.600Z\",\"tenant\":\"acme\",\"caller\":\"key-1\",\"decision\":\"deny\","
            + "\"reason\":\"limit_exceeded\"";
    private static final String BACK = ",\"subject\":{\"type\":\"user\",\"id\":\"zoë\"},\"action\":\"call\","
            + "\"resource\":{\"type\":\"tool\",\"id\":\"book_flight\"},\"rest\":1}";
    private static final List<String> USUAL =
            List.of("acme", "key-1", "deny", "user", "zoë", "call", "tool", "book_flight");

    private final EntryColumns columns = new EntryColumns();

    @Test
    void the_usual_front_gives_its_columns_with_a_policy_and_without() throws IOException {
        assertThat(read(FRONT + BACK)).isEqualTo(USUAL);
        assertThat(columns.id()).hasToString(ID);
        assertThat(columns.at()).isEqualTo(Instant.parse("2026-11-21T23:59:59.600Z"));
        assertThat(read(FRONT + ",\"policy\":\"airline/refunds\"" + BACK)).isEqualTo(USUAL);
    }

    @Test
    void another_spelling_of_the_same_front_gives_the_same_columns() throws IOException {
        String usual = FRONT + BACK;
        for (String other : new String[] {
            usual.replace(":\"", ": \""),
            usual.replace("acme", "\\u0061cme"),
            usual.replace("zoë", "zo\\u00eb"),
            usual.replace("\"reason\"", "\"because\""),
            usual.replace("\"book_flight\"}", "\"book\",\"id\":\"book_flight\"}"),
            usual.replace("{\"type\":\"user\",\"id\":\"zoë\"}", "{\"id\":\"zoë\",\"type\":\"user\"}"),
        }) {
            assertThat(other).isNotEqualTo(usual);
            assertThat(read(other)).as(other).isEqualTo(USUAL);
        }
    }

    @Test
    void columns_of_the_entry_before_do_not_stay() throws IOException {
        assertThat(read(FRONT + BACK)).isEqualTo(USUAL);
        assertThat(read(FRONT + ",\"rest\":1}")).containsExactly("acme", "key-1", "deny", null, null, null, null, null);
        assertThat(read(FRONT + ",\"subject\":null,\"action\":\"call\"}"))
                .containsExactly("acme", "key-1", "deny", null, null, "call", null, null);
        assertThat(read(FRONT + BACK)).isEqualTo(USUAL);
        read(FRONT.replace("59.600", "58") + BACK);
        assertThat(columns.at()).isEqualTo(Instant.parse("2026-11-21T23:59:58Z"));
    }

    @Test
    void what_may_have_been_refused_is_told_from_the_front_however_it_is_spelled() throws IOException {
        String allowed = (FRONT + BACK).replace("deny", "allow");
        for (String[] spelling : new String[][] {{"", ""}, {"\"reason\":", "\"reason\": "}}) {
            read(allowed.replace(spelling[0], spelling[1]));
            assertThat(columns.maybeNegative()).isFalse();
            for (String refused : new String[] {
                FRONT + BACK,
                (FRONT + BACK).replace("deny", "require_approval"),
                allowed.replace("limit_exceeded", "obligations_not_supported")
            }) {
                read(refused.replace(spelling[0], spelling[1]));
                assertThat(columns.maybeNegative()).as(refused).isTrue();
            }
        }
    }

    @Test
    void an_entry_that_cannot_be_a_row_is_refused() {
        String usual = FRONT + BACK;
        for (String entry : new String[] {
            usual.replace("\"tenant\"", "\"owner\""),
            usual.replace(ID, "7"),
            usual.replace("23:59", "24:61"),
            usual.replace("acme", "ac\nme"),
            usual.substring(0, 60),
            "[]",
            "{}"
        }) {
            assertThatThrownBy(() -> read(entry)).as(entry).isInstanceOf(IOException.class);
        }
    }

    private List<String> read(String entry) throws IOException {
        byte[] bytes = (" " + entry + " ").getBytes(StandardCharsets.UTF_8);
        columns.read(bytes, 1, bytes.length - 2);
        return Stream.of(
                        columns.tenant,
                        columns.caller,
                        columns.decision,
                        columns.subjectType,
                        columns.subjectId,
                        columns.action,
                        columns.resourceType,
                        columns.resourceId)
                .map(EntryColumnsTest::sent)
                .toList();
    }

    /** What COPY would take: a length, -1 for null, and so many bytes. */
    private static String sent(EntryColumns.Text text) {
        var out = ByteBuffer.allocate(200);
        text.putTo(out);
        out.flip();
        int length = out.getInt();
        assertThat(out.remaining()).isEqualTo(Math.max(0, length));
        return length < 0 ? null : StandardCharsets.UTF_8.decode(out).toString();
    }
}
