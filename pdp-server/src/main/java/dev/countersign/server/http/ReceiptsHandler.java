package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.Worded;
import dev.countersign.server.approvals.Execution;
import dev.countersign.server.approvals.Receipts;
import dev.countersign.server.decision.Body;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import io.vertx.ext.web.RoutingContext;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** {@code POST /api/v1/executions/{execution_id}/receipt}: what became of a call that was let run. */
final class ReceiptsHandler {
    /** Where it is reported. */
    static final String PATH = "/api/v1/executions/:execution/receipt";

    private static final long MOST_ATTEMPTS = 1_000;
    private static final Pattern DIGEST = Pattern.compile("[A-Za-z0-9_+/=:-]{1,128}");
    /** The error classes of seed 000. */
    private static final Set<String> CLASSES = Set.of(
            "timeout", "network", "rate_limit", "server_error", "auth", "not_found", "invalid_request", "unknown");

    private final Callers callers;
    private final Receipts receipts;

    ReceiptsHandler(Callers callers, Receipts receipts) {
        this.callers = callers;
        this.receipts = receipts;
    }

    void take(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.DECIDE);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            Execution.Receipt receipt = receipt(body.json());
            Waiting.change(
                    ctx, receipts.take(caller, Parameters.id(ctx, "execution"), receipt), taken -> answer(ctx, taken));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private static void answer(RoutingContext ctx, Receipts.Taken taken) {
        if (taken instanceof Receipts.Taken.Noted noted) {
            Bodies.send(ctx, 200, view(noted.execution()));
        } else if (taken instanceof Receipts.Taken.Differs differs) {
            Problems.send(
                    ctx,
                    409,
                    "reported_otherwise",
                    "this run was reported before, as `"
                            + differs.before().status().word() + "`");
        } else {
            Problems.send(ctx, 404, "not_found", "no approval of this caller was reserved for an execution of this id");
        }
    }

    private static Execution.Receipt receipt(JsonNode body) throws Members.Unfit {
        var members = new Members(body, "outcome", "attempts", "error_class", "result_digest", "not_started");
        boolean notStarted = body.has("not_started") && members.bool("not_started");
        Execution.Status outcome = outcome(body.path("outcome"), notStarted);
        long attempts = members.number("attempts", notStarted ? 0 : 1, 0, MOST_ATTEMPTS);
        return new Execution.Receipt(
                outcome, (int) attempts, word(body.path("error_class"), outcome), digest(body.path("result_digest")));
    }

    private static Execution.Status outcome(JsonNode given, boolean notStarted) throws Members.Unfit {
        Execution.Status named = Worded.of(Execution.Status.class, given.textValue());
        if (named == null || named == Execution.Status.STARTED || named == Execution.Status.NOT_STARTED) {
            throw new Members.Unfit("`outcome` is succeeded, failed or unknown");
        }
        if (notStarted && named != Execution.Status.FAILED) {
            throw new Members.Unfit("what was `not_started` has the outcome failed");
        }
        return notStarted ? Execution.Status.NOT_STARTED : named;
    }

    private static @Nullable String word(JsonNode given, Execution.Status outcome) throws Members.Unfit {
        if (Calls.absent(given)) {
            return null;
        }
        if (!CLASSES.contains(given.asText()) || outcome == Execution.Status.SUCCEEDED) {
            throw new Members.Unfit("`error_class`, of what did not succeed, is one of "
                    + CLASSES.stream().sorted().collect(Collectors.joining(", ")));
        }
        return given.textValue();
    }

    private static @Nullable String digest(JsonNode given) throws Members.Unfit {
        if (Calls.absent(given)) {
            return null;
        }
        if (!given.isTextual() || !DIGEST.matcher(given.textValue()).matches()) {
            throw new Members.Unfit("`result_digest` is a digest in hex or Base64, of at most 128 characters");
        }
        return given.textValue();
    }

    static ObjectNode view(Execution execution) {
        ObjectNode out = JsonNodeFactory.instance
                .objectNode()
                .put("execution_id", execution.executionId())
                .put("action", execution.action())
                .put("status", execution.status().word())
                .put("attempts", execution.attempts());
        put(out, "error_class", execution.errorClass());
        put(out, "result_digest", execution.resultDigest());
        put(out, "approval_id", execution.approval());
        put(out, "decision_id", execution.decision());
        out.put("started_at", execution.startedAt().toString());
        put(out, "ended_at", execution.endedAt());
        return out;
    }

    static void put(ObjectNode out, String name, @Nullable Object value) {
        if (value != null) {
            out.put(name, value.toString());
        }
    }
}
