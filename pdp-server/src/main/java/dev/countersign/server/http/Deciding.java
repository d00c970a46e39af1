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
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.decisionlog.LogUnavailableException;
import dev.countersign.server.identity.Caller;
import io.vertx.ext.web.RoutingContext;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * From a call to a decision in the log: at once, or, where the call presents an approval, once that was looked up and, if the
 * call may run because of it, used.
 */
final class Deciding {
    private static final Pattern EXECUTION = Pattern.compile("[A-Za-z0-9._:-]{1,200}");

    private final DecisionLoop decisions;
    private final Uses uses;

    Deciding(DecisionLoop decisions, Uses uses) {
        this.decisions = decisions;
        this.uses = uses;
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
                    uses.present(caller, call),
                    presented -> use(
                            ctx,
                            policy,
                            caller,
                            decisions.judge(policy, caller, call, dialect, enforcement, presented),
                            body,
                            then));
            return;
        }
        try {
            then.accept(decisions.decide(policy, caller, call, body, dialect, enforcement));
        } catch (LogUnavailableException e) {
            Answering.unavailable(ctx);
        }
    }

    private void use(
            RoutingContext ctx,
            TenantPolicy policy,
            Caller caller,
            Decided judged,
            @Nullable Body body,
            Consumer<Decided> then) {
        Presented.Good good = judged.uses();
        if (good == null) {
            record(ctx, policy, caller, judged, body, then);
            return;
        }
        Waiting.approval(
                ctx,
                uses.use(caller, judged, good),
                refused -> record(
                        ctx,
                        policy,
                        caller,
                        refused == null ? judged : decisions.without(policy, judged, refused),
                        body,
                        then));
    }

    private void record(
            RoutingContext ctx,
            TenantPolicy policy,
            Caller caller,
            Decided judged,
            @Nullable Body body,
            Consumer<Decided> then) {
        try {
            then.accept(decisions.record(policy, caller, judged, body));
        } catch (LogUnavailableException e) {
            Answering.unavailable(ctx);
        }
    }
}
