package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.server.approvals.Bindings;
import dev.countersign.server.approvals.Uses;
import dev.countersign.server.decision.AuthzenAnswer;
import dev.countersign.server.decision.Body;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.DecisionLoop;
import dev.countersign.server.decision.Dialect;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.decisionlog.LogUnavailableException;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.metrics.Metrics;
import io.vertx.core.Future;
import io.vertx.ext.web.RoutingContext;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** {@code POST /access/v1/evaluation} and {@code /access/v1/evaluations} (Authorization API 1.0, sections 6 and 7). */
final class EvaluationHandler {
    /** Where one call is judged. */
    static final String SINGLE = "/access/v1/evaluation";

    /** Where a batch is. */
    static final String BATCH = "/access/v1/evaluations";

    /** The most items of one batch. */
    static final int MAX_ITEMS = 1_000;

    /** The most that defaults may add to the items of a batch. */
    static final long MAX_MERGED_BYTES = 8L << 20;

    private static final List<String> PARTS = List.of("subject", "action", "resource", "context");

    private enum Semantic {
        EXECUTE_ALL,
        DENY_ON_FIRST_DENY,
        PERMIT_ON_FIRST_PERMIT
    }

    private final Callers callers;
    private final Judging judging;
    private final DecisionLoop decisions;
    private final Deciding deciding;
    private final Bindings bindings;
    private final Answering single;
    private final Answering batch;

    EvaluationHandler(
            Callers callers,
            Judging judging,
            DecisionLoop decisions,
            Deciding deciding,
            Bindings bindings,
            Metrics metrics) {
        this.callers = callers;
        this.judging = judging;
        this.decisions = decisions;
        this.deciding = deciding;
        this.bindings = bindings;
        this.single = new Answering(decisions, metrics, SINGLE);
        this.batch = new Answering(decisions, metrics, BATCH);
    }

    void evaluation(RoutingContext ctx) {
        long began = System.nanoTime();
        Caller caller = callers.require(ctx, Role.DECIDE);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller != null && body != null) {
            judging.by(ctx, caller, state -> one(ctx, state.policy(), caller, body, began, single));
        }
    }

    private void one(
            RoutingContext ctx, TenantPolicy policy, Caller caller, Body body, long began, Answering answering) {
        try {
            Call asked = Call.of(body.json());
            Deciding.check(asked);
            judging.resolve(
                    ctx,
                    policy,
                    caller,
                    asked,
                    call -> deciding.decide(
                            ctx,
                            policy,
                            caller,
                            call,
                            body,
                            Dialect.AUTHZEN,
                            null,
                            decided -> answer(ctx, caller, decided, began, answering)));
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private void answer(RoutingContext ctx, Caller caller, Decided decided, long began, Answering answering) {
        if (decided.requestable() == null) {
            answering.send(ctx, AuthzenAnswer.single(decided), began);
            return;
        }
        // Without a token the evaluation's id is what binds.
        Waiting.approval(
                ctx,
                deciding.kept(decided)
                        .compose(kept -> bindings.token(caller, kept).otherwiseEmpty()),
                token -> answering.send(ctx, AuthzenAnswer.single(decided, token), began));
    }

    void evaluations(RoutingContext ctx) {
        long began = System.nanoTime();
        Caller caller = callers.require(ctx, Role.DECIDE);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller != null && body != null) {
            judging.by(ctx, caller, state -> batch(ctx, state.policy(), caller, body, began));
        }
    }

    private void batch(RoutingContext ctx, TenantPolicy policy, Caller caller, Body body, long began) {
        JsonNode defaults = body.json();
        JsonNode items = defaults.get("evaluations");
        if (items == null || items.isNull() || items.isArray() && items.isEmpty()) {
            one(ctx, policy, caller, body, began, batch);
            return;
        }
        try {
            if (!items.isArray() || items.size() > MAX_ITEMS) {
                throw new BadCall("`evaluations` must be an array of at most " + MAX_ITEMS + " items");
            }
            if (merged(defaults, items) > MAX_MERGED_BYTES) {
                throw new BadCall("the items of `evaluations`, each with the defaults it takes, have more than "
                        + MAX_MERGED_BYTES + " bytes");
            }
            JsonNode options = defaults.get("options");
            Semantic semantic = semantic(options);
            List<Item> all = new ArrayList<>(items.size());
            items.forEach(item -> all.add(item(defaults, item)));
            List<@Nullable Call> calls = new ArrayList<>(items.size());
            all.forEach(item -> calls.add(item.call()));
            Consumer<List<Decided>> answer =
                    decided -> batch.send(ctx, AuthzenAnswer.batch(decided, full(options)), began);
            judging.resolve(
                    ctx,
                    policy,
                    caller,
                    calls,
                    resolved -> new Items(ctx, policy, caller, semantic, all, resolved, answer).go());
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    /** The decisions of one batch, one after the other. */
    private final class Items {
        private final RoutingContext ctx;
        private final TenantPolicy policy;
        private final Caller caller;
        private final Semantic semantic;
        private final List<Item> items;
        private final List<@Nullable Call> calls;
        private final Consumer<List<Decided>> answer;
        private final List<Decided> decided;
        private final boolean careful;

        Items(
                RoutingContext ctx,
                TenantPolicy policy,
                Caller caller,
                Semantic semantic,
                List<Item> items,
                List<@Nullable Call> calls,
                Consumer<List<Decided>> answer) {
            this.ctx = ctx;
            this.policy = policy;
            this.caller = caller;
            this.semantic = semantic;
            this.items = items;
            this.calls = calls;
            this.answer = answer;
            this.decided = new ArrayList<>(items.size());
            this.careful = calls.stream().anyMatch(call -> call != null && Uses.presents(call));
        }

        /** Decides what is left, up to an item that has to wait for what its approval is worth. */
        void go() {
            try {
                while (!done()) {
                    Decided next = careful ? null : now();
                    if (next == null) {
                        Waiting.approval(ctx, later(), made -> {
                            decided.add(made);
                            go();
                        });
                        return;
                    }
                    decided.add(next);
                }
                answer.accept(decided);
            } catch (LogUnavailableException e) {
                Answering.unavailable(ctx);
            }
        }

        private Decided now() throws LogUnavailableException {
            Call call = calls.get(decided.size());
            return call == null
                    ? decisions.deny(
                            policy,
                            caller,
                            String.valueOf(items.get(decided.size()).invalid()),
                            Dialect.AUTHZEN)
                    : decisions.decide(policy, caller, call, null, Dialect.AUTHZEN);
        }

        /** Where an item waits for what its approval is worth, each is kept before the next is judged. */
        private Future<Decided> later() throws LogUnavailableException {
            Call call = calls.get(decided.size());
            return call == null
                    ? deciding.kept(now())
                    : deciding.oneOfSeveral(ctx.vertx(), policy, caller, call, Dialect.AUTHZEN);
        }

        private boolean done() {
            if (decided.isEmpty()) {
                return items.isEmpty();
            }
            boolean permitted = decided.get(decided.size() - 1).permitted();
            return decided.size() == items.size()
                    || semantic == Semantic.DENY_ON_FIRST_DENY && !permitted
                    || semantic == Semantic.PERMIT_ON_FIRST_PERMIT && permitted;
        }
    }

    /** An item of a batch: a call, or why it is none. */
    private record Item(@Nullable Call call, @Nullable String invalid) {}

    /** An item that is no complete call is denied by itself; the others are decided all the same. */
    private static Item item(JsonNode defaults, JsonNode item) {
        try {
            if (!item.isObject()) {
                throw new BadCall("an item of `evaluations` must be an object");
            }
            Call call = Call.of(
                    merged("subject", defaults, item),
                    merged("action", defaults, item),
                    merged("resource", defaults, item),
                    merged("context", defaults, item));
            Deciding.check(call);
            return new Item(call, null);
        } catch (BadCall e) {
            return new Item(null, e.getMessage());
        }
    }

    /** About how many bytes the items have once each has taken its defaults: that is what is decided and logged. */
    private static long merged(JsonNode defaults, JsonNode items) {
        long bytes = 0;
        for (String part : PARTS) {
            JsonNode taken = defaults.get(part);
            long size = taken == null || taken.isNull() ? 0 : taken.toString().length();
            for (JsonNode item : items) {
                bytes += item.has(part) ? 0 : size;
            }
        }
        return bytes;
    }

    /** The item's own member, whole, else the default's. */
    private static @Nullable JsonNode merged(String name, JsonNode defaults, JsonNode item) {
        JsonNode own = item.get(name);
        return own != null ? own : defaults.get(name);
    }

    private static Semantic semantic(@Nullable JsonNode options) throws BadCall {
        if (options != null && !options.isNull() && !options.isObject()) {
            throw new BadCall("`options` must be an object");
        }
        JsonNode named = options == null ? null : options.get("evaluations_semantic");
        if (named == null || named.isNull()) {
            return Semantic.EXECUTE_ALL;
        }
        for (Semantic semantic : Semantic.values()) {
            if (semantic.name().toLowerCase(java.util.Locale.ROOT).equals(named.textValue())) {
                return semantic;
            }
        }
        throw new BadCall(
                "`options.evaluations_semantic` is execute_all, deny_on_first_deny or permit_on_first_permit");
    }

    private static boolean full(@Nullable JsonNode options) {
        return options != null && options.path("context").asText().equals("full");
    }
}
