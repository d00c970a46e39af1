package dev.countersign.server.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.AccessRequestLifecycle;
import dev.countersign.server.approvals.AccessRequestLifecycle.Status;
import dev.countersign.server.approvals.Approval;
import dev.countersign.server.approvals.ApprovalLifecycle;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The task of the AuthZEN Access Request and Approval Profile: what its requester sees. No reviewer is named in it. */
final class TaskView {
    /** After how many seconds to ask again. */
    static final String RETRY_SECONDS = "5";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PARTIAL = "partial";
    /** How long a task can be read after everything in it is over. */
    private static final Duration KEPT = Duration.ofDays(1);

    private final String baseUrl;
    private final InstantSource clock;

    TaskView(String baseUrl, InstantSource clock) {
        this.baseUrl = baseUrl;
        this.clock = clock;
    }

    /** The time by which states are told. */
    Instant now() {
        return clock.instant();
    }

    /** The URL of a task. */
    String status(AccessRequest request) {
        return baseUrl + AccessRequestsHandler.PATH + "/" + request.task();
    }

    /** The state as it is by now, whether or not somebody has noted it. */
    Status now(AccessRequest request) {
        return request.late(clock.instant()) ? Status.EXPIRED : request.status();
    }

    /** The same of an approval. */
    ApprovalLifecycle.Status now(Approval approval) {
        return approval.now(clock.instant());
    }

    /** Whether anything in it is open. */
    boolean pending(List<AccessRequest> task) {
        return task.stream().anyMatch(each -> now(each) == Status.PENDING);
    }

    /** Whether its time is over. */
    boolean over(List<AccessRequest> task) {
        return clock.instant().isAfter(expires(task));
    }

    private static Instant expires(List<AccessRequest> task) {
        Instant latest = Instant.MIN;
        for (AccessRequest each : task) {
            Instant end = each.decideBy().plus(each.useWithin());
            latest = end.isAfter(latest) ? end : latest;
        }
        return latest.plus(KEPT);
    }

    /** Whether they were submitted as items. */
    static boolean bundle(List<AccessRequest> task) {
        return task.size() > 1 || !task.get(0).id().equals(task.get(0).task());
    }

    /**
     * What a callback says of a task: how it ended and where it is read, and what comes of it if it was one call. The items
     * of a bundle are read there.
     */
    ObjectNode callback(List<AccessRequest> requests, List<Approval> granted) {
        ObjectNode out = of(requests, granted, bundle(requests));
        out.withObjectProperty("task").retain("id", "status", "status_endpoint", "expires_at");
        return out;
    }

    /**
     * The task.
     *
     * @param granted the approvals of its requests
     * @param bundle whether it was submitted as items
     */
    ObjectNode of(List<AccessRequest> requests, List<Approval> granted, boolean bundle) {
        AccessRequest first = requests.get(0);
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        ObjectNode task = out.putObject("task")
                .put("id", first.task().toString())
                .put("status", aggregate(requests))
                .put("status_endpoint", status(first))
                .put("expires_at", expires(requests).toString());
        if (pending(requests)) {
            if (!bundle && now(first) == Status.PENDING) {
                task.putObject("progress")
                        .put("current_step", first.stage() + 1)
                        .put("total_steps", first.stages().size())
                        .put("step_name", first.stages().get(first.stage()).name());
            }
            task.putObject("display")
                    .put("title", "Approval requested")
                    .put("description", "Reviewers decide by " + first.decideBy());
            task.putObject("links").put("cancel", status(first) + "/cancel");
        }
        if (bundle) {
            ArrayNode items = task.putArray("items");
            requests.forEach(each -> items.add(item(each, granted)));
        } else {
            ObjectNode result = result(first, granted);
            if (result != null) {
                out.set("result", result);
            }
        }
        return out;
    }

    private String aggregate(List<AccessRequest> requests) {
        if (pending(requests)) {
            return Status.PENDING.word();
        }
        Set<Status> all = new LinkedHashSet<>();
        requests.forEach(each -> all.add(now(each)));
        return all.size() == 1 ? all.iterator().next().word() : PARTIAL;
    }

    private ObjectNode item(AccessRequest request, List<Approval> granted) {
        ObjectNode item = JsonNodeFactory.instance.objectNode();
        JsonNode call = call(request);
        item.set("resource", call.path("resource"));
        item.set("action", call.path("action"));
        item.put("status", now(request).word());
        ObjectNode result = result(request, granted);
        return result == null ? item : item.set("result", result);
    }

    private static @Nullable ObjectNode result(AccessRequest request, List<Approval> granted) {
        if (request.status() != AccessRequestLifecycle.Status.APPROVED) {
            return null;
        }
        for (Approval approval : granted) {
            if (approval.request().equals(request.id())) {
                ObjectNode result = JsonNodeFactory.instance.objectNode().put("mode", "reevaluate");
                result.putObject("approval")
                        .put("id", approval.id().toString())
                        .put("approved_at", approval.approvedAt().toString())
                        .put("approved_until", approval.useBy().toString())
                        .put("state", approval.state());
                return result;
            }
        }
        return null;
    }

    /** The call as it was kept. */
    static JsonNode call(AccessRequest request) {
        try {
            return JSON.readTree(request.wanted().call());
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an access request holds a call that is no JSON", e);
        }
    }
}
