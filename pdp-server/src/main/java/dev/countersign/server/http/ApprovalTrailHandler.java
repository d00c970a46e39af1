package dev.countersign.server.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.Approval;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Emergency;
import dev.countersign.server.approvals.Execution;
import dev.countersign.server.approvals.Reassignment;
import dev.countersign.server.approvals.Review;
import dev.countersign.server.decision.DecisionRecords;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What was asked, said, used and reported: of one request all of it, and of all of them in numbers. */
final class ApprovalTrailHandler {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_DAYS = 366;
    private static final int USUAL_DAYS = 30;

    private final Callers callers;
    private final Approvals approvals;
    private final DecisionRecords records;
    private final Reviewing reviewing;
    private final ApprovalView view;

    ApprovalTrailHandler(
            Callers callers, Approvals approvals, DecisionRecords records, Reviewing reviewing, ApprovalView view) {
        this.callers = callers;
        this.approvals = approvals;
        this.records = records;
        this.reviewing = reviewing;
        this.view = view;
    }

    /** {@code GET /api/v1/approvals/stats}: {@code days}, 30 if it is not given. */
    void stats(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.APPROVALS_READ, Role.AUDIT_READ, Role.ADMIN);
        if (caller == null) {
            return;
        }
        try {
            long days = Parameters.number(ctx, "days");
            if (days > MOST_DAYS) {
                throw new BadCall("`days` is a number from 1 to " + MOST_DAYS);
            }
            Duration within = Duration.ofDays(days == 0 ? USUAL_DAYS : days);
            Waiting.read(ctx, approvals.stats().of(caller.inTenant(), within), out -> Bodies.send(ctx, 200, out));
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    /** {@code GET /api/v1/approvals/{id}/trail}: denial, request, reviews, approval, use, receipt. */
    void trail(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.AUDIT_READ, Role.ADMIN);
        if (caller != null) {
            reviewing.found(
                    ctx, caller, request -> Waiting.read(ctx, trail(request), out -> Bodies.send(ctx, 200, out)));
        }
    }

    private Future<ObjectNode> trail(AccessRequest request) {
        String tenant = request.tenant();
        Future<@Nullable String> denial = records.find(tenant, request.evaluation());
        Future<List<Review>> reviews = approvals.requests().reviews(tenant, request.id());
        Future<List<Reassignment>> reassigned = approvals.reassignments().of(tenant, request.id());
        Future<@Nullable Emergency> emergency = approvals.emergencies().of(request);
        Future<List<String>> events = approvals.stats().events(tenant, request.id());
        return reviewing
                .granted(request)
                .compose(approval -> runs(tenant, approval)
                        .compose(runs -> use(tenant, approval)
                                .compose(use -> Future.all(denial, reviews, reassigned, emergency, events)
                                        .map(all -> {
                                            ObjectNode out = JsonNodeFactory.instance.objectNode();
                                            out.set("denial", json(denial.result()));
                                            out.set(
                                                    "request",
                                                    view.whole(
                                                            request,
                                                            approval == null ? List.of() : List.of(approval),
                                                            reviews.result(),
                                                            reassigned.result(),
                                                            emergency.result(),
                                                            List.of()));
                                            out.set("use", json(use));
                                            ArrayNode executions = out.putArray("executions");
                                            runs.forEach(run -> executions.add(ReceiptsHandler.view(run)));
                                            ArrayNode told = out.putArray("events");
                                            events.result().forEach(event -> told.add(json(event)));
                                            return out;
                                        }))));
    }

    private Future<List<Execution>> runs(String tenant, @Nullable Approval approval) {
        return approval == null
                ? Future.succeededFuture(List.of())
                : approvals.stats().runs(tenant, approval.id());
    }

    private Future<@Nullable String> use(String tenant, @Nullable Approval approval) {
        UUID decision = approval == null ? null : approval.decision();
        return decision == null ? Future.succeededFuture(null) : records.find(tenant, decision);
    }

    private static JsonNode json(@Nullable String text) {
        try {
            return text == null ? JsonNodeFactory.instance.nullNode() : JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the log holds an entry that is no JSON", e);
        }
    }
}
