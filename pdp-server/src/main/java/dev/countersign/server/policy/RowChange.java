package dev.countersign.server.policy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.rules.dialect.JsonMistake;
import dev.countersign.rules.rows.PolicyRow;
import dev.countersign.rules.rows.RowLimits;
import dev.countersign.rules.rows.RowReader;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.rows.RowJson;
import dev.countersign.server.rows.RowStore;
import dev.countersign.server.rows.StoredRow;
import io.vertx.core.Future;
import io.vertx.sqlclient.SqlConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A row made, written anew or taken away; it leaves the row behind as it is, or as it was. */
public final class RowChange implements PolicyChange<@Nullable StoredRow> {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final @Nullable String tenant;
    private final String id;
    private final @Nullable PolicyRow row;

    private RowChange(@Nullable String tenant, String id, @Nullable PolicyRow row) {
        this.tenant = tenant;
        this.id = id;
        this.row = row;
    }

    /** The change that writes {@code row}, whatever version it says; it has passed {@link RowReader}. */
    public static RowChange write(PolicyRow row) {
        return new RowChange(row.tenant(), row.id(), row);
    }

    /** The change that takes a row away. */
    public static RowChange delete(@Nullable String tenant, String id) {
        return new RowChange(tenant, id, null);
    }

    /** The change that a proposal holds, or {@code null} if its row could not be used any more. */
    public static @Nullable RowChange read(Proposal proposal, TenantState now) {
        try {
            var json = JSON.readTree(proposal.change()).get("policy");
            if (json == null || json.isNull()) {
                return delete(proposal.tenant(), proposal.name());
            }
            var mistakes = new ArrayList<JsonMistake>();
            PolicyRow row = RowJson.read(proposal.name(), proposal.tenant(), 1, json, mistakes);
            boolean fits = mistakes.isEmpty()
                    && new RowReader(now.vocabulary()).read(row).fits();
            return fits ? write(row) : null;
        } catch (JsonProcessingException e) {
            return null;
        }
    }

    @Override
    public Proposal.Kind kind() {
        return Proposal.Kind.POLICY;
    }

    @Override
    public String name() {
        return id;
    }

    @Override
    public String json() {
        var change = JSON.createObjectNode();
        if (row == null) {
            return change.putNull("policy").toString();
        }
        var written = RowJson.write(row);
        written.remove(List.of("id", "version"));
        return change.set("policy", written).toString();
    }

    @Override
    public boolean sensitive() {
        return false;
    }

    @Override
    public TenantPolicy applied(TenantState state) {
        var rows = new ArrayList<PolicyRow>(state.rows().size() + 1);
        state.rows().stream().filter(other -> !other.id().equals(id)).forEach(rows::add);
        if (row != null) {
            rows.add(row);
        }
        return state.with(rows);
    }

    @Override
    public Future<Long> version(SqlConnection connection) {
        return RowStore.find(connection, tenant, UUID.fromString(id))
                .map(found -> found == null ? 0L : found.row().version());
    }

    @Override
    public Future<@Nullable JsonMistake> refusal(SqlConnection connection) {
        return row == null
                ? Future.succeededFuture()
                : RowStore.others(connection, row).map(others -> RowLimits.exceeded(row, others));
    }

    @Override
    public Future<@Nullable StoredRow> apply(SqlConnection connection, Author by, @Nullable Proposal proposal) {
        UUID confirmed = proposal == null ? null : proposal.id();
        return RowStore.find(connection, tenant, UUID.fromString(id)).compose(found -> {
            if (row == null) {
                return found == null
                        ? Future.succeededFuture()
                        : RowStore.delete(connection, found.row(), by.key(), by.at(), confirmed)
                                .map(gone -> (@Nullable StoredRow) found);
            }
            long next = found == null ? 1 : found.row().version() + 1;
            return RowStore.write(connection, row.at(next), by.key(), by.at(), confirmed)
                    .map(stored -> (@Nullable StoredRow) stored);
        });
    }
}
