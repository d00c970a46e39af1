package dev.countersign.server.history;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.vertx.sqlclient.Row;
import io.vertx.sqlclient.RowSet;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What became of something once.
 *
 * @param version the version that it had from then on
 * @param entry it as JSON; {@code null} where it was taken away
 * @param at when
 * @param by the visible prefix of the key; {@code null} where the server did it by itself
 * @param proposal the proposal that was confirmed, if it took one
 */
public record Past(
        long version,
        @Nullable JsonNode entry,
        Instant at,
        @Nullable String by,
        @Nullable UUID proposal) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Those that rows of a history table hold, whose column {@code entry} has the JSON. */
    public static List<Past> of(RowSet<Row> rows, String entry) {
        var past = new ArrayList<Past>(rows.size());
        rows.forEach(row -> past.add(new Past(
                row.getLong("version"),
                json(row.getString(entry)),
                row.getOffsetDateTime("changed_at").toInstant(),
                row.getString("changed_by"),
                row.getUUID("proposal"))));
        return past;
    }

    /** The JSON that a text column holds, which this server wrote; {@code null} for none. */
    public static @Nullable JsonNode json(@Nullable String text) {
        try {
            return text == null ? null : JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the table holds what is no JSON", e);
        }
    }
}
