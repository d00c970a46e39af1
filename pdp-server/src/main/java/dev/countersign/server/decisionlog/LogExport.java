package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.Writer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * The export of the audit trail from the database, for {@link LogVerifier#export} on another machine: JSON objects, one a
 * line.
 *
 * <ol>
 *   <li>{@code {"jwk"}}: the public keys that signed checkpoints.
 *   <li>{@code {"checkpoint","jws"}}: the checkpoints, by number.
 *   <li>{@code {"segment","seq","hash","entry"}}: the decision log, ordered by segment and number; {@code entry} is a string
 *       that holds the exact entry. A segment starts with its header, number 0, which also carries {@code shipped_seq} and
 *       {@code shipped_hash}, the end that the table should hold.
 *   <li>The same for the chain of approval events, each with its {@code event} as it stands in the table, if it does.
 *   <li>{@code {"unsealed"}}: the approval events that are not in the chain.
 * </ol>
 */
public final class LogExport {
    private static final JsonFactory JSON = new JsonFactory()
            .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
            .disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
    private static final int FETCH_ROWS = 1_000;
    private static final String KEYS = "select jwk from checkpoint_keys order by kid";
    private static final String CHECKPOINTS = "select number, jws from checkpoints order by number";
    private static final String ENTRIES = """
            select segment, 0 as seq, header_hash as hash, header as entry, shipped_seq, last_hash from log_segments
            union all
            select segment, seq, hash, entry, null, null from decisions
            order by segment, seq""";
    private static final String SEALED = """
            select s.segment, s.seq, s.hash, s.entry, e.number, e.tenant, e.type, e.time, e.body
            from sealed_events s left join events e on e.number = s.event order by s.seq""";
    private static final String UNSEALED = """
            select e.number, e.tenant, e.type, e.time, e.body from events e
            where e.type like 'approval.%' and not exists (select from sealed_events s where s.event = e.number)
            order by e.number""";

    private interface Lines {
        void write(ResultSet row, JsonGenerator json) throws SQLException, IOException;
    }

    private LogExport() {}

    /**
     * Writes everything that the database holds, as of one moment, row by row.
     *
     * @param connection a connection in no transaction; it is left so
     * @return the number of lines
     */
    public static long write(Connection connection, Writer out) throws SQLException, IOException {
        int isolation = connection.getTransactionIsolation();
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        connection.setAutoCommit(false);
        try {
            return lines(connection, KEYS, out, LogExport::key)
                    + lines(connection, CHECKPOINTS, out, LogExport::checkpoint)
                    + lines(connection, ENTRIES, out, LogExport::entry)
                    + lines(connection, SEALED, out, LogExport::sealed)
                    + lines(connection, UNSEALED, out, LogExport::unsealed);
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
            connection.setTransactionIsolation(isolation);
        }
    }

    private static long lines(Connection connection, String query, Writer out, Lines each)
            throws SQLException, IOException {
        try (var select = connection.prepareStatement(query)) {
            select.setFetchSize(FETCH_ROWS);
            long lines = 0;
            try (ResultSet rows = select.executeQuery()) {
                for (; rows.next(); lines++) {
                    try (JsonGenerator json = JSON.createGenerator(out)) {
                        json.writeStartObject();
                        each.write(rows, json);
                        json.writeEndObject();
                    }
                    out.write('\n');
                }
            }
            return lines;
        }
    }

    private static void key(ResultSet row, JsonGenerator json) throws SQLException, IOException {
        json.writeFieldName("jwk");
        json.writeRawValue(row.getString("jwk"));
    }

    private static void checkpoint(ResultSet row, JsonGenerator json) throws SQLException, IOException {
        json.writeNumberField("checkpoint", row.getLong("number"));
        json.writeStringField("jws", row.getString("jws"));
    }

    private static void entry(ResultSet row, JsonGenerator json) throws SQLException, IOException {
        link(row, json);
        byte[] last = row.getBytes("last_hash");
        if (last != null) {
            json.writeNumberField("shipped_seq", row.getLong("shipped_seq"));
            json.writeStringField("shipped_hash", HexFormat.of().formatHex(last));
        }
    }

    private static void sealed(ResultSet row, JsonGenerator json) throws SQLException, IOException {
        link(row, json);
        String event = event(row);
        if (event != null) {
            json.writeStringField("event", event);
        }
    }

    private static void unsealed(ResultSet row, JsonGenerator json) throws SQLException, IOException {
        json.writeStringField("unsealed", event(row));
    }

    private static void link(ResultSet row, JsonGenerator json) throws SQLException, IOException {
        json.writeStringField("segment", row.getString("segment"));
        json.writeNumberField("seq", row.getLong("seq"));
        json.writeStringField("hash", HexFormat.of().formatHex(row.getBytes("hash")));
        json.writeStringField("entry", row.getString("entry"));
    }

    private static @Nullable String event(ResultSet row) throws SQLException {
        String body = row.getString("body");
        return body == null
                ? null
                : new SealedChain.Event(
                                row.getLong("number"),
                                row.getString("tenant"),
                                row.getString("type"),
                                row.getObject("time", OffsetDateTime.class).toInstant(),
                                body)
                        .canonical();
    }
}
