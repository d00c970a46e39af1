package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.server.approvals.Uses;
import dev.countersign.server.decision.Body;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.DecisionLoop;
import dev.countersign.server.decision.Dialect;
import dev.countersign.server.decision.EnforcementMode;
import dev.countersign.server.decision.Presented;
import dev.countersign.server.decision.Refusal;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.decisionlog.LogUnavailableException;
import dev.countersign.server.identity.Caller;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * From a call to a decision in the log: at once, or, where the call presents an approval, once that was looked up and, if the
 * call may run because of it, used.
 */
final class Deciding {
    private static final Logger LOG = LoggerFactory.getLogger(Deciding.class);
    private static final long LOOK_SECONDS = 5;
    private static final Pattern EXECUTION = Pattern.compile("[A-Za-z0-9._:-]{1,200}");

    private final DecisionLoop decisions;
    private final Uses uses;
    private final Consumer<ApplyStep> steps;

    /** @param steps is told of each approval that is used; nobody listens in production */
    Deciding(DecisionLoop decisions, Uses uses, Consumer<ApplyStep> steps) {
        this.decisions = decisions;
        this.uses = uses;
        this.steps = steps;
    }

    /** Refuses a call that presents an approval in a way that is none. */
    static void check(Call call) throws BadCall {
        if (!Uses.presents(call) || call.context() == null) {
            return;
        }
        if (!call.context().path(Uses.APPROVAL).isObject()) {
            throw new BadCall("`context.approval` must be an object");
        }
        JsonNode execution = call.context().path(Uses.EXECUTION);
        if (!Calls.absent(execution)
                && (!execution.isTextual()
                        || !EXECUTION.matcher(execution.textValue()).matches())) {
            throw new BadCall(
                    "`context.execution_id` is a text of 1 to 200 letters, digits and the characters . _ : -");
        }
        if (execution.asText().startsWith(Uses.SERVER)) {
            throw new BadCall(
                    "`context.execution_id` begins with `" + Uses.SERVER + "`, as only the server's own runs do");
        }
    }

    /**
     * Decides a call for which everything else is known; where it presents an approval, {@code then} is called later.
     *
     * @param call one that {@link #check} let pass
     */
    void decide(
            RoutingContext ctx,
            TenantPolicy policy,
            Caller caller,
            Call call,
            @Nullable Body body,
            Dialect dialect,
            @Nullable EnforcementMode enforcement,
            Consumer<Decided> then) {
        if (Uses.presents(call)) {
            Waiting.approval(
                    ctx,
                    presenting(ctx.vertx(), policy, caller, call, body, dialect, enforcement)
                            .compose(this::kept),
                    then);
            return;
        }
        try {
            then.accept(decisions.decide(policy, caller, call, body, dialect, enforcement));
        } catch (LogUnavailableException e) {
            Answering.unavailable(ctx);
        }
    }

    private Future<Decided> presenting(
            Vertx vertx,
            TenantPolicy policy,
            Caller caller,
            Call call,
            @Nullable Body body,
            Dialect dialect,
            @Nullable EnforcementMode enforcement) {
        return Waiting.here(vertx, uses.present(policy, caller, call).timeout(LOOK_SECONDS, TimeUnit.SECONDS))
                .compose(presented -> {
                    Decided judged = decisions.judge(policy, caller, call, dialect, enforcement, presented);
                    Presented.Good good = judged.uses();
                    return good == null
                            ? record(policy, caller, judged, body)
                            : Waiting.here(vertx, uses.use(caller, judged, good))
                                    .compose(refused -> {
                                        if (refused == null) {
                                            steps.accept(ApplyStep.RESERVED);
                                        }
                                        return record(
                                                policy,
                                                caller,
                                                refused == null ? judged : decisions.without(policy, judged, refused),
                                                body);
                                    });
                });
    }

    /**
     * Decides a call for whoever goes on only once the log has the decision.
     *
     * @return the decision; failed if it cannot be made, or not be logged
     */
    Future<Decided> logged(Vertx vertx, TenantPolicy policy, Caller caller, Call call, Dialect dialect) {
        Future<Decided> decided = Uses.presents(call)
                ? presenting(vertx, policy, caller, call, null, dialect, null)
                : record(policy, caller, decisions.judge(policy, caller, call, dialect, null, null), null);
        return decided.compose(this::kept);
    }

    /**
     * Decides one call of several, of which some may have been let run already: where nobody can tell what its approval is
     * worth, it alone is denied.
     *
     * @return the decision; failed if it cannot be logged
     */
    Future<Decided> oneOfSeveral(Vertx vertx, TenantPolicy policy, Caller caller, Call call, Dialect dialect) {
        return logged(vertx, policy, caller, call, dialect).recover(failure -> {
            if (failure instanceof LogUnavailableException) {
                return Future.failedFuture(failure);
            }
            LOG.warn("an item of a batch is denied, as its approval could not be looked up: {}", failure.toString());
            var worthless = new Presented.Worthless(null, Refusal.APPROVAL_UNVERIFIABLE);
            return record(policy, caller, decisions.judge(policy, caller, call, dialect, null, worthless), null)
                    .compose(this::kept);
        });
    }

    /**
     * A decision that was made in this turn of the loop, once the log has it. Whoever answers in a later turn waits for this:
     * the turn in which it was made may fail to be written, and the next one not.
     */
    Future<Decided> kept(Decided made) {
        Promise<Decided> kept = Promise.promise();
        decisions.answer(new DecisionLoop.Answer() {
            @Override
            public void send() {
                kept.complete(made);
            }

            @Override
            public void refuse(Exception cause) {
                kept.fail(
                        cause instanceof LogUnavailableException
                                ? cause
                                : new LogUnavailableException("the log", cause));
            }
        });
        return kept.future();
    }

    private Future<Decided> record(TenantPolicy policy, Caller caller, Decided judged, @Nullable Body body) {
        try {
            return Future.succeededFuture(decisions.record(policy, caller, judged, body));
        } catch (LogUnavailableException e) {
            return Future.failedFuture(e);
        }
    }
}
