package dev.countersign.server.approvals;

import static dev.countersign.server.approvals.AccessRequestStore.instant;
import static dev.countersign.server.approvals.AccessRequestStore.maybe;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.deser.std.StdDelegatingDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import com.fasterxml.jackson.databind.util.StdConverter;
import dev.countersign.rules.facts.Worded;
import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.approvals.AccessRequestLifecycle.Status;
import dev.countersign.server.decision.Asked;
import io.vertx.sqlclient.Row;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** An access request as a row of the table. */
final class AccessRequestRow {
    private static final ObjectMapper JSON = JsonMapper.builder()
            .defaultPropertyInclusion(
                    JsonInclude.Value.construct(JsonInclude.Include.NON_NULL, JsonInclude.Include.NON_NULL))
            .addModule(new SimpleModule()
                    .addSerializer(Duration.class, ToStringSerializer.instance)
                    .addDeserializer(Duration.class, new StdDelegatingDeserializer<>(new Durations())))
            .build();
    private static final TypeReference<List<Asked>> FINDINGS = new TypeReference<>() {};
    private static final TypeReference<List<Stage>> STAGES = new TypeReference<>() {};

    /** Durations as ISO 8601 writes them. */
    private static final class Durations extends StdConverter<String, Duration> {
        @Override
        public Duration convert(String text) {
            return Duration.parse(text);
        }
    }

    private AccessRequestRow() {}

    static AccessRequest read(Row row) {
        Status status = Objects.requireNonNull(Worded.of(Status.class, row.getString("status")));
        return new AccessRequest(
                row.getString("tenant"),
                row.getUUID("id"),
                row.getUUID("task"),
                row.getInteger("position"),
                row.getUUID("evaluation_id"),
                new AccessRequest.Requester(
                        row.getString("requester"), row.getString("requester_key"), row.getUUID("requester_person")),
                new AccessRequest.Wanted(
                        row.getString("subject_type"),
                        row.getString("subject_id"),
                        row.getString("action"),
                        row.getString("resource_type"),
                        row.getString("resource_id"),
                        row.getString("call"),
                        row.getBoolean("whole"),
                        row.getString("digest"),
                        Arrays.asList(row.getArrayOfStrings("bound_context")),
                        Arrays.asList(row.getArrayOfStrings("advisory")),
                        row.getString("reason"),
                        row.getString("risk")),
                new AccessRequest.About(
                        row.getString("client_id"),
                        row.getString("idempotency_key"),
                        row.getString("submission"),
                        row.getString("description"),
                        row.getString("requested_by"),
                        row.getString("run_id"),
                        row.getString("session_id"),
                        row.getString("project_id"),
                        row.getString("agent_name"),
                        row.getDouble("confidence"),
                        maybe(row, "requested_until")),
                parse(row.getString("findings"), FINDINGS),
                parse(row.getString("stages"), STAGES),
                row.getInteger("stage"),
                Set.of(row.getArrayOfUUIDs("excluded")),
                Arrays.asList(row.getArrayOfStrings("claimed")),
                instant(row, "created_at"),
                instant(row, "decide_by"),
                Duration.ofSeconds(row.getLong("use_seconds")),
                Objects.requireNonNull(Worded.of(AccessRequest.BreakGlass.class, row.getString("break_glass"))),
                status,
                status == Status.PENDING
                        ? null
                        : new AccessRequest.End(
                                instant(row, "ended_at"),
                                row.getString("ended_by"),
                                row.getUUID("ended_person"),
                                row.getString("note")));
    }

    static String json(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("records can be written", e);
        }
    }

    private static <T> T parse(String json, TypeReference<T> type) {
        try {
            return JSON.readValue(json, type);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an access request cannot be read", e);
        }
    }
}
