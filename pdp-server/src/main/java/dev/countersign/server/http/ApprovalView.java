package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Worded;
import dev.countersign.rules.rows.PolicyRow;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.AccessRequestLifecycle.Status;
import dev.countersign.server.approvals.AccessRequestStore.Standing;
import dev.countersign.server.approvals.Approval;
import dev.countersign.server.approvals.ApprovalLifecycle;
import dev.countersign.server.approvals.Emergency;
import dev.countersign.server.approvals.Reassignment;
import dev.countersign.server.approvals.Review;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.separation.Reviewer;
import dev.countersign.tools.ToolExecutor;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Access requests as reviewers see them, in the words of seeds 002 and 004. Here, and nowhere else, are those words. */
final class ApprovalView {
    private static final String REJECTED = "rejected";
    private static final String APPLIED = "applied";

    private final TaskView tasks;

    ApprovalView(TaskView tasks) {
        this.tasks = tasks;
    }

    /** The time by which states are told. */
    Instant now() {
        return tasks.now();
    }

    /** The state that a word of the seeds names: of no word the one that waits, {@code null} for {@code all}. */
    static @Nullable String risk(@Nullable String word) throws BadCall {
        if (word != null && Worded.of(PolicyRow.Risk.class, word) == null) {
            throw new BadCall("`risk` is one of low, medium, high, critical");
        }
        return word;
    }

    static boolean byRisk(@Nullable String word) throws BadCall {
        if (word != null && !word.equals("risk") && !word.equals("age")) {
            throw new BadCall("`sort` is age or risk");
        }
        return "risk".equals(word);
    }

    static @Nullable Standing standing(@Nullable String word) throws BadCall {
        if (word == null) {
            return Standing.PENDING;
        }
        if (word.equals("all")) {
            return null;
        }
        String lower = word.toLowerCase(Locale.ROOT);
        Standing standing = switch (lower) {
            case REJECTED -> Standing.DENIED;
            case "executed" -> Standing.APPLIED;
            default -> Worded.of(Standing.class, lower);
        };
        if (standing == null) {
            throw new BadCall(
                    "`status` is one of pending, approved, rejected, applied, expired, cancelled, failed, all");
        }
        return standing;
    }

    /** The word of seed 002 for where a request is. */
    String word(AccessRequest request, List<Approval> granted) {
        Status status = tasks.now(request);
        if (status == Status.APPROVED) {
            Approval approval = of(granted, request);
            boolean applied = approval != null && approval.status() == ApprovalLifecycle.Status.CONSUMED;
            return applied ? APPLIED : status.word();
        }
        return status == Status.DENIED ? REJECTED : status.word();
    }

    /** Whether it waits for reviews. */
    boolean pending(AccessRequest request) {
        return tasks.now(request) == Status.PENDING;
    }

    /** The word of seed 000 for where a request is. */
    String outcome(AccessRequest request) {
        return tasks.now(request).word();
    }

    private static @Nullable Approval of(List<Approval> granted, AccessRequest request) {
        return granted.stream()
                .filter(each -> each.request().equals(request.id()))
                .findFirst()
                .orElse(null);
    }

    /** A request in a list. */
    ObjectNode of(AccessRequest request, List<Approval> granted) {
        AccessRequest.Wanted wanted = request.wanted();
        AccessRequest.About about = request.about();
        ObjectNode out = JsonNodeFactory.instance
                .objectNode()
                .put("id", request.id().toString())
                .put("task_id", request.task().toString())
                .put("status", word(request, granted))
                .put("action_type", wanted.action());
        out.set("payload", TaskView.call(request));
        out.put("digest", wanted.digest())
                .put("reason", wanted.reason())
                .put("risk", wanted.risk())
                .put("decision_id", request.evaluation().toString())
                .put("requested_by_id", request.requester().key());
        put(out, "requested_by_person", request.requester().person());
        put(out, "requested_by", about.requestedBy());
        put(out, "action_id", about.clientId());
        put(out, "description", about.description());
        put(out, "run_id", about.runId());
        put(out, "session_id", about.sessionId());
        put(out, "project_id", about.projectId());
        put(out, "agent_name", about.agentName());
        if (about.confidence() != null) {
            out.put("confidence", about.confidence());
        }
        ArrayNode bound = out.putArray("bound_context");
        wanted.boundContext().forEach(bound::add);
        ArrayNode advisory = out.putArray("advisory");
        wanted.advisory().forEach(advisory::add);
        stages(out, request);
        out.put("created_at", request.createdAt().toString())
                .put("decide_by", request.decideBy().toString());
        AccessRequest.End end = request.end();
        if (end != null) {
            out.put("decided_at", end.at().toString());
            put(out, "decided_by_id", end.key());
            put(out, "decided_by_person", end.person());
            put(out, "note", end.note());
        }
        if (request.breakGlass() != AccessRequest.BreakGlass.NO) {
            out.put("break_glass", request.breakGlass().word());
        }
        Approval approval = of(granted, request);
        if (approval != null) {
            approval(out.putObject("approval"), approval);
        }
        return out;
    }

    private void stages(ObjectNode out, AccessRequest request) {
        out.put("stage", request.stage() + 1);
        ArrayNode stages = out.putArray("stages");
        request.stages().forEach(stage -> {
            ObjectNode one = stages.addObject().put("name", stage.name()).put("quorum", stage.quorum());
            stage.roles().forEach(one.putArray("roles")::add);
            if (stage.escalate() != null) {
                ObjectNode escalate = one.putObject("escalate")
                        .put("after", stage.escalate().after().toString());
                stage.escalate().to().forEach(escalate.putArray("to")::add);
            }
        });
        Instant escalates = request.escalatesAt();
        if (escalates != null && pending(request)) {
            out.put("escalates_at", escalates.toString()).put("escalated", !now().isBefore(escalates));
        }
    }

    private void approval(ObjectNode out, Approval approval) {
        out.put("id", approval.id().toString())
                .put("status", tasks.now(approval).word())
                .put("approved_at", approval.approvedAt().toString())
                .put("use_by", approval.useBy().toString());
        put(out, "used_at", approval.usedAt());
        put(out, "execution_id", approval.executionId());
        put(out, "decision_id", approval.decision());
    }

    /** The same with how its run on the server ended. */
    ObjectNode run(ObjectNode out, ToolExecutor.Outcome run) {
        JsonNode result = run.result();
        ObjectNode shown = out.putObject("execution")
                .put("execution_id", run.execution().executionId())
                .put("status", run.execution().status().word())
                .put("attempts", run.execution().attempts());
        if (run.execution().errorClass() != null) {
            shown.put("error_class", run.execution().errorClass().word());
        }
        return result == null ? out : out.set("result", result);
    }

    /** The same where rules denied the call although it was approved. */
    ObjectNode refused(ObjectNode out, Decided decided) {
        out.putObject("denied").put("reason", decided.reason()).put("decision_id", decided.id());
        return out;
    }

    /** A request by itself. */
    ObjectNode whole(
            AccessRequest request,
            List<Approval> granted,
            List<Review> reviews,
            List<Reassignment> reassigned,
            @Nullable Emergency emergency,
            List<Reviewer> eligible) {
        ObjectNode out = reassigned(of(request, granted), reassigned);
        if (emergency != null) {
            out.set("emergency", emergency(emergency));
        }
        ArrayNode given = out.putArray("reviews");
        for (Review review : reviews) {
            ObjectNode one = given.addObject()
                    .put("person", review.person().toString())
                    .put("stage", review.stage() + 1)
                    .put("vote", review.vote().word())
                    .put("key", review.key())
                    .put("at", review.at().toString());
            put(one, "in_place_of", review.inPlaceOf());
            put(one, "note", review.note());
            if (review.statement() != null) {
                one.putObject("relayed")
                        .put("issuer", review.statement().issuer().toString())
                        .put("statement", review.statement().id());
            }
        }
        ArrayNode could = out.putArray("could_approve");
        for (Reviewer reviewer : eligible) {
            ObjectNode one = could.addObject()
                    .put("person", reviewer.person().toString())
                    .put("name", reviewer.name());
            put(one, "in_place_of", reviewer.inPlaceOf());
        }
        return out;
    }

    /** How a request was approved alone. */
    static ObjectNode emergency(Emergency emergency) {
        ObjectNode out = JsonNodeFactory.instance
                .objectNode()
                .put("request_id", emergency.request().toString())
                .put("person", emergency.person().toString())
                .put("key", emergency.key())
                .put("reason", emergency.reason())
                .put("at", emergency.at().toString());
        Emergency.Verdict verdict = emergency.verdict();
        if (verdict != null) {
            ObjectNode review = out.putObject("review")
                    .put("verdict", verdict.word().word())
                    .put("person", verdict.person().toString())
                    .put("key", verdict.key())
                    .put("at", verdict.at().toString());
            put(review, "note", verdict.note());
        }
        return out;
    }

    /** The same with the places that were handed on. */
    ObjectNode reassigned(ObjectNode out, List<Reassignment> all) {
        ArrayNode reassignments = out.putArray("reassignments");
        for (Reassignment each : all) {
            ObjectNode one = reassignments
                    .addObject()
                    .put("from_person", each.from().toString())
                    .put("to_person", each.to().toString())
                    .put("at", each.at().toString())
                    .put("by", each.key());
            put(one, "by_person", each.by());
            put(one, "note", each.note());
        }
        return out;
    }

    private static void put(ObjectNode out, String name, @Nullable Object value) {
        ReceiptsHandler.put(out, name, value);
    }
}
