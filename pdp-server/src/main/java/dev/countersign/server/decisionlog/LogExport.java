package dev.countersign.server.decisionlog;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.Writer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HexFormat;

/**
 * The export of the decision log from the database, for {@link LogVerifier#export} on another machine. One JSON object a
 * line, {@code {"segment","seq","hash","entry"}}, ordered by segment and number; {@code entry} is a string that holds the
 * exact entry. A segment starts with its header, number 0, which also carries {@code shipped_seq} and
 * {@code shipped_hash}, the end that the table should hold.
 */
public final class LogExport {
    private static final JsonFactory JSON = new JsonFactory()
            .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
            .disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
    private static final int FETCH_ROWS = 1_000;
    private static final String SELECT = """
            select segment, 0 as seq, header_hash as hash, header as entry, shipped_seq, last_hash from log_segments
            union all
            select segment, seq, hash, entry, null, null from decisions
            order by segment, seq""";

    private LogExport() {}

    /**
     * Writes everything that the database holds, as of one moment, row by row.
     *
     * @param connection a connection in no transaction; it is left so
     * @return the number of lines
     */
    public static long write(Connection connection, Writer out) throws SQLException, IOException {
        connection.setAutoCommit(false);
        try (var select = connection.prepareStatement(SELECT)) {
            select.setFetchSize(FETCH_ROWS);
            long lines = 0;
            try (ResultSet rows = select.executeQuery()) {
                for (; rows.next(); lines++) {
                    line(rows, out);
                }
            }
            return lines;
        } finally {
            connection.rollback();
            connection.setAutoCommit(true);
        }
    }

    private static void line(ResultSet row, Writer out) throws SQLException, IOException {
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringField("segment", row.getString("segment"));
            json.writeNumberField("seq", row.getLong("seq"));
            json.writeStringField("hash", HexFormat.of().formatHex(row.getBytes("hash")));
            json.writeStringField("entry", row.getString("entry"));
            byte[] last = row.getBytes("last_hash");
            if (last != null) {
                json.writeNumberField("shipped_seq", row.getLong("shipped_seq"));
                json.writeStringField("shipped_hash", HexFormat.of().formatHex(last));
            }
            json.writeEndObject();
        }
        out.write('\n');
    }
}
