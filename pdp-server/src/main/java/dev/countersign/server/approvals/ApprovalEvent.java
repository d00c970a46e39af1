package dev.countersign.server.approvals;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.Worded;
import io.vertx.core.Future;
import io.vertx.sqlclient.SqlConnection;
import io.vertx.sqlclient.Tuple;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A step of an access request or an approval as a CloudEvent, written in the transaction of that step, last: whoever reads
 * the events of a tenant in their order reads every step, each once. The call itself is not in it, only its digest.
 */
final class ApprovalEvent {
    /** What happened. */
    enum Kind implements Worded {
        /** Somebody asked. */
        REQUESTED,
        /** A person said something, and more has to be said. */
        REVIEWED,
        /** The round at hand took so long that others may review as well. */
        ESCALATED,
        /** A reviewer's place went to another person. */
        REASSIGNED,
        /** What a person said was brought by another system. */
        RELAYED,
        /** Everybody who was asked for has approved. */
        APPROVED,
        /** A person has approved alone in an emergency. */
        BREAK_GLASS,
        /** A person says afterwards whether that was right. */
        BREAK_GLASS_REVIEWED,
        /** A person refused. */
        DENIED,
        /** It was not decided in time. */
        EXPIRED,
        /** It is wanted no more. */
        CANCELLED,
        /** A call was let run, to be reported. */
        RESERVED,
        /** A call was let run, or was reported. */
        CONSUMED,
        /** The call did not start, and the approval is good again. */
        FREED,
        /** The approval was taken back. */
        REVOKED,
        /** The approval was not used in time. */
        LAPSED,
        /** Nobody knows whether the call ran. */
        IN_DOUBT
    }

    private final AccessRequest request;
    private final Kind kind;
    private final Instant at;
    private final ObjectNode data = JsonNodeFactory.instance.objectNode();

    ApprovalEvent(AccessRequest request, Kind kind, Instant at) {
        this.request = request;
        this.kind = kind;
        this.at = at;
        AccessRequest.Wanted wanted = request.wanted();
        data.put("request_id", request.id().toString())
                .put("task_id", request.task().toString())
                .put("decision_id", request.evaluation().toString())
                .put("requester", request.requester().key())
                .put("subject_type", wanted.subjectType())
                .put("subject_id", wanted.subjectId())
                .put("action", wanted.action())
                .put("resource_type", wanted.resourceType())
                .put("resource_id", wanted.resourceId())
                .put("digest", wanted.digest());
    }

    /** Who did it: a key, and the person if it is one's. */
    ApprovalEvent by(@Nullable String key, @Nullable UUID person) {
        return with("by", key).with("person", person);
    }

    /** The same with one more member, unless it is null. */
    ApprovalEvent with(String name, @Nullable Object value) {
        if (value != null) {
            data.put(name, value.toString());
        }
        return this;
    }

    /** Writes it. Nothing may follow in the transaction. */
    Future<?> write(SqlConnection connection, UUID id) {
        String type = "approval." + kind.word();
        ObjectNode event = JsonNodeFactory.instance
                .objectNode()
                .put("specversion", "1.0")
                .put("id", id.toString())
                .put(
                        "source",
                        "/tenants/"
                                + URLEncoder.encode(request.tenant(), StandardCharsets.UTF_8)
                                        .replace("+", "%20") + "/approvals")
                .put("type", type)
                .put("time", at.toString())
                .put("subject", request.id().toString())
                .put("datacontenttype", "application/json")
                .set("data", data);
        return connection
                .preparedQuery("insert into events (tenant, id, type, time, body) values ($1, $2, $3, $4, $5)")
                .execute(Tuple.of(request.tenant(), id, type, at.atOffset(ZoneOffset.UTC), event.toString()));
    }
}
