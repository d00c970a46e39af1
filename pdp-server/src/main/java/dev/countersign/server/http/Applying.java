package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.Approval;
import dev.countersign.server.approvals.Approvals;
import dev.countersign.server.approvals.Uses;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.Dialect;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.tools.Execution;
import dev.countersign.tools.ExecutionLog;
import dev.countersign.tools.Retry;
import dev.countersign.tools.Run;
import dev.countersign.tools.Tool;
import dev.countersign.tools.ToolExecutor;
import dev.countersign.tools.Tools;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.InstantSource;
import java.util.UUID;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs calls on the server: as any other enforcement point it evaluates first, runs what is allowed and nothing else, and
 * reports what became of it.
 */
final class Applying {
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    private final Judging judging;
    private final Deciding deciding;
    private final Approvals approvals;
    private final Tools tools;
    private final Retry retry;
    private final InstantSource clock;
    private final Supplier<UUID> unguessable;
    private final Consumer<ApplyStep> steps;

    Applying(Judging judging, Deciding deciding, HttpVerticle.Granting granting, InstantSource clock) {
        this.judging = judging;
        this.deciding = deciding;
        this.approvals = granting.approvals();
        this.tools = granting.tools();
        this.retry = granting.retry();
        this.clock = clock;
        this.unguessable = granting.unguessable();
        this.steps = granting.steps();
    }

    /**
     * What came of it.
     *
     * @param decided the decision; {@code null} if nothing was evaluated, as the server cannot run the call
     * @param run how the run ended; {@code null} if there was none
     */
    record Applied(@Nullable Decided decided, ToolExecutor.@Nullable Outcome run) {
        static final Applied NOT_HERE = new Applied(null, null);
    }

    /** Whether the server can run a call of this action. */
    boolean able(String action) {
        return tools.find(action).isPresent();
    }

    /**
     * Runs an approved request for its requester.
     *
     * @param by who has it run
     */
    Future<Applied> apply(Vertx vertx, Caller by, AccessRequest request, Approval approval) {
        steps.accept(ApplyStep.APPROVED);
        if (!able(request.wanted().action()) || !request.wanted().whole()) {
            return Future.succeededFuture(Applied.NOT_HERE);
        }
        Caller requester = requester(by, request);
        try {
            Call call = presenting(call(request), approval.id());
            return Waiting.here(vertx, judging.state(requester))
                    .compose(state -> run(vertx, state.policy(), requester, call, Dialect.APPROVALS));
        } catch (BadCall e) {
            return Future.failedFuture(e);
        }
    }

    /** The requester, acting by the key of whoever has the request applied. */
    private static Caller requester(Caller by, AccessRequest request) {
        AccessRequest.Requester requester = request.requester();
        return by.actingFor(requester.principal(), requester.person(), Role.DECIDE);
    }

    private static Call call(AccessRequest request) throws BadCall {
        return Call.of(TaskView.call(request));
    }

    /** The call with the approval; if the server runs it, to be reported by a name that is the server's own. */
    Call presenting(Call call, UUID approval) throws BadCall {
        ObjectNode context = JsonNodeFactory.instance.objectNode();
        if (call.context() instanceof ObjectNode members) {
            context.setAll(members);
        }
        context.putObject(Uses.APPROVAL).put("id", approval.toString());
        // Whoever runs the call elsewhere cannot report it by a name that it does not know.
        if (able(call.actionName())) {
            context.put(Uses.EXECUTION, Uses.SERVER + unguessable.get());
        }
        return Call.of(call.subject(), call.action(), call.resource(), context);
    }

    /**
     * Decides a call, and runs it if it is allowed and the server can.
     *
     * @param requester whose call it is
     */
    Future<Applied> run(Vertx vertx, TenantPolicy policy, Caller requester, Call asked, Dialect dialect) {
        return Waiting.here(vertx, judging.resolve(policy, requester, asked))
                .compose(call -> deciding.logged(vertx, policy, requester, call, dialect))
                .compose(decided -> {
                    if (!decided.permitted()) {
                        return Future.succeededFuture(new Applied(decided, null));
                    }
                    steps.accept(ApplyStep.LOGGED);
                    return run(vertx, requester, asked, decided);
                });
    }

    /** Runs a call that was allowed, if the server can, and if the caller did not use an approval for a run of its own. */
    Future<Applied> run(Vertx vertx, Caller requester, Call call, Decided decided) {
        Tool tool = tools.find(call.actionName()).orElse(null);
        var used = decided.uses();
        boolean theirs = used != null
                && (used.executionId() == null || !used.executionId().startsWith(Uses.SERVER));
        return tool == null || theirs
                ? Future.succeededFuture(new Applied(decided, null))
                : call(vertx, tool, requester, call, decided);
    }

    private Future<Applied> call(Vertx vertx, Tool tool, Caller requester, Call call, Decided decided) {
        var used = decided.uses();
        String executionId =
                used == null || used.executionId() == null ? Uses.SERVER + unguessable.get() : used.executionId();
        var run = new Run(executionId, clock.instant().plus(DEADLINE), decided.id(), used == null ? null : used.id());
        ExecutionLog log = approvals.executions().of(requester, call.actionName(), used != null);
        var executor = new ToolExecutor(new Told(tool), retry, told(log), clock);
        JsonNode arguments = call.arguments();
        return Waiting.here(
                        vertx,
                        Future.fromCompletionStage(executor.run(
                                arguments == null ? JsonNodeFactory.instance.objectNode() : arguments, run)))
                .map(outcome -> new Applied(decided, outcome));
    }

    private ExecutionLog told(ExecutionLog log) {
        return new ExecutionLog() {
            @Override
            public CompletionStage<?> started(Execution execution) {
                return log.started(execution).thenRun(() -> steps.accept(ApplyStep.STARTED));
            }

            @Override
            public CompletionStage<?> ended(Execution execution) {
                return log.ended(execution).thenRun(() -> steps.accept(ApplyStep.REPORTED));
            }
        };
    }

    /** A tool that tells of each call. */
    private final class Told implements Tool {
        private final Tool tool;

        Told(Tool tool) {
            this.tool = tool;
        }

        @Override
        public String name() {
            return tool.name();
        }

        @Override
        public boolean idempotent() {
            return tool.idempotent();
        }

        @Override
        public CompletionStage<JsonNode> call(JsonNode arguments, Run run) {
            return tool.call(arguments, run).whenComplete((result, failure) -> steps.accept(ApplyStep.RAN));
        }
    }
}
