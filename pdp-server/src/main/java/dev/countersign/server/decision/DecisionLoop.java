package dev.countersign.server.decision;

import dev.countersign.rules.engine.Evaluator;
import dev.countersign.rules.engine.RuleBase;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import dev.countersign.server.decisionlog.LogUnavailableException;
import dev.countersign.server.decisionlog.SegmentWriter;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.metrics.Metrics;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The decisions of one event loop: calls in, logged verdicts out. Nothing here waits: a decision is evaluated and
 * appended at once, and the answers of one turn of the loop leave together, after one write of the log. Confined to its
 * loop's thread.
 */
public final class DecisionLoop {
    private static final Logger LOG = LoggerFactory.getLogger(DecisionLoop.class);
    /** Shadows judge no more than so many decisions of one turn of the loop. */
    private static final int MOST_COMPARISONS = 500;

    /** Where the words of a decision go once it is in the log. */
    public interface Answer {
        /** The log has it: the answer may leave. */
        void send();

        /** The log could not be written: no decision was made. */
        void refuse(Exception cause);
    }

    /** When an answer may leave. */
    public enum Durability {
        /** Once the operating system has the entry: survives the end of the process. */
        PROCESS,
        /** Once the disk has it: survives a power cut. */
        DISK
    }

    private final SegmentWriter log;
    private final Durability durability;
    private final Executor loop;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final DecisionMeters meters;
    private final LogEntry entry;
    private Moment latest = Moment.of(0);
    private @Nullable RuleBase latestBase;
    private @Nullable Evaluator latestEvaluator;
    /**
     * One for each base, as tenants with packs of their own have bases of their own. It lives as long as its base, of which
     * it is a small part: what bounds the bases bounds these. To close one of a base that is gone would change nothing.
     */
    private final Map<RuleBase, Evaluator> evaluators = new WeakHashMap<>();

    private final BiConsumer<Caller, String> firstUses;
    private final List<Decided> made = new ArrayList<>();
    private final List<Runnable> afterwards = new ArrayList<>();
    private final List<ShadowTime.Comparison> comparisons = new ArrayList<>();
    private final ShadowTime shadowTime;
    private List<Answer> waiting = new ArrayList<>();
    private boolean scheduled;

    /**
     * The decisions of the loop that {@code loop} runs tasks on.
     *
     * @param log the loop's own log writer
     * @param durability when answers may leave
     * @param loop runs a task on this loop, after the events at hand
     * @param clock tells the time of decisions
     * @param random makes their ids, and chooses whose shadows judge first
     * @param metrics counts
     * @param firstUses is told, after the answer, of the caller and the user of each decision to which the tenant's default
     *     policies applied
     */
    public DecisionLoop(
            SegmentWriter log,
            Durability durability,
            Executor loop,
            InstantSource clock,
            RandomGenerator random,
            Metrics metrics,
            BiConsumer<Caller, String> firstUses) {
        this.log = log;
        this.durability = durability;
        this.loop = loop;
        this.clock = clock;
        this.random = random;
        this.meters = new DecisionMeters(metrics);
        this.firstUses = firstUses;
        this.entry = new LogEntry();
        this.shadowTime = new ShadowTime(clock, random);
    }

    /**
     * Decides a call and appends the decision to the log.
     *
     * @param policy what judges: for all calls of one request the same
     * @param body the call as it was written, if it was written by itself and in the terms of AuthZEN
     * @throws LogUnavailableException if the log takes nothing; then nothing was decided
     */
    public Decided decide(TenantPolicy policy, Caller caller, Call call, @Nullable Body body, Dialect dialect)
            throws LogUnavailableException {
        return decide(policy, caller, call, body, dialect, null);
    }

    /** The same for a caller that may say what its gate does with the answer, which is logged. */
    public Decided decide(
            TenantPolicy policy,
            Caller caller,
            Call call,
            @Nullable Body body,
            Dialect dialect,
            @Nullable EnforcementMode enforcement)
            throws LogUnavailableException {
        return record(policy, caller, judge(policy, caller, call, dialect, enforcement, null), body);
    }

    /**
     * Judges a call and records nothing: what is said becomes a decision by {@link #record}.
     *
     * @param presented the approval that it presents
     */
    public Decided judge(
            TenantPolicy policy,
            Caller caller,
            Call call,
            Dialect dialect,
            @Nullable EnforcementMode enforcement,
            @Nullable Presented presented) {
        Moment now = now();
        // For every dialect here, and nowhere else: what the registry says of the action counts from now on.
        Call resolved = policy.actions().resolve(call);
        var request = new Request(caller.inTenant(), resolved, now.instant(), policy.values());
        boolean fits = Decided.unfit(resolved).isEmpty();
        Set<Asked> approved = presented instanceof Presented.Good good ? good.discharges() : Set.of();
        Verdict verdict = fits ? evaluate(policy, request, approved) : Verdict.fault(Decided.INVALID_ARGUMENTS);
        return new Decided(id(now), now, dialect, resolved, null, verdict, enforcement, presented, null).asking(policy);
    }

    /** What was judged, denied as its approval turned out to be no good when it was to be used. */
    public Decided without(TenantPolicy policy, Decided judged, Refusal why) {
        return judged.without(policy, why);
    }

    /**
     * Appends to the log what was judged.
     *
     * @param body the call as it was written, if it was written by itself and in the terms of AuthZEN
     * @throws LogUnavailableException if the log takes nothing; then nothing was decided
     */
    public Decided record(TenantPolicy policy, Caller caller, Decided judged, @Nullable Body body)
            throws LogUnavailableException {
        Decided decided = record(judged, body, caller, policy);
        Call call = Objects.requireNonNull(decided.call());
        var request = new Request(caller.inTenant(), call, decided.at().instant(), policy.values());
        String user = policy.byDefaultFor(request);
        if (user != null) {
            afterwards.add(() -> firstUses.accept(caller, user));
        }
        if (decided.unfit().isEmpty()) {
            policy.shadows().forEach(shadow -> beside(shadow, caller, call, decided));
        }
        return decided;
    }

    /** Has a shadow judge the same after the answer. */
    private void beside(Shadow shadow, Caller caller, Call call, Decided decided) {
        if (comparisons.size() >= MOST_COMPARISONS) {
            shadow.observer().dropped();
            return;
        }
        comparisons.add(new ShadowTime.Comparison(shadow, () -> {
            TenantPolicy policy = shadow.policy();
            var request = new Request(caller.inTenant(), call, decided.at().instant(), policy.values());
            try {
                shadow.observer()
                        .compared(
                                decided, policy.verdict(evaluator(policy.base()).evaluate(request)));
            } catch (RuntimeException e) {
                LOG.warn("a shadow failed to judge a request", e);
            }
        }));
    }

    /**
     * Denies a batch item that is no complete call, and appends that to the log.
     *
     * @throws LogUnavailableException if the log takes nothing
     */
    public Decided deny(TenantPolicy policy, Caller caller, String invalid, Dialect dialect)
            throws LogUnavailableException {
        Moment now = now();
        var decided = new Decided(id(now), now, dialect, null, invalid, Verdict.fault(Decided.INVALID), null);
        return record(decided, null, caller, policy);
    }

    private Moment now() {
        long millis = clock.millis();
        if (latest.instant().toEpochMilli() != millis) {
            latest = Moment.of(millis);
        }
        return latest;
    }

    private String id(Moment now) {
        return UuidV7.of(now.instant().toEpochMilli(), random).toString();
    }

    private Verdict evaluate(TenantPolicy policy, Request request, Set<Asked> approved) {
        try {
            return policy.verdict(evaluator(policy.base()).evaluate(request), approved);
        } catch (RuntimeException e) {
            LOG.error("the engine failed to judge a request", e);
        }
        try {
            return policy.failed(request, approved);
        } catch (RuntimeException e) {
            LOG.error("the policies that are rows failed to judge a request, which is denied", e);
            return Verdict.fault(Verdict.ENGINE_ERROR);
        }
    }

    private Evaluator evaluator(RuleBase base) {
        if (base == latestBase && latestEvaluator != null) {
            return latestEvaluator;
        }
        Evaluator evaluator = evaluators.computeIfAbsent(base, RuleBase::evaluator);
        latestBase = base;
        latestEvaluator = evaluator;
        return evaluator;
    }

    private Decided record(Decided decided, @Nullable Body body, Caller caller, TenantPolicy policy)
            throws LogUnavailableException {
        entry.encode(decided, body, caller, policy);
        log.append(entry.array(), 0, entry.length());
        made.add(decided);
        schedule();
        return decided;
    }

    /** Sends an answer once the log has everything appended so far. */
    public void answer(Answer answer) {
        waiting.add(answer);
        schedule();
    }

    /** Whatever was appended is written at the end of this turn, even if its request fails and no answer waits for it. */
    private void schedule() {
        if (!scheduled) {
            scheduled = true;
            loop.execute(this::flush);
        }
    }

    private void flush() {
        scheduled = false;
        entry.forget();
        List<Answer> answers = waiting;
        waiting = new ArrayList<>(answers.size());
        List<Runnable> after = List.copyOf(afterwards);
        afterwards.clear();
        List<ShadowTime.Comparison> compare = List.copyOf(comparisons);
        comparisons.clear();
        try {
            log.flush();
        } catch (LogUnavailableException | RuntimeException e) {
            made.clear();
            refuse(answers, compare, e);
            return;
        }
        made.forEach(decided -> meters.count(decided));
        made.clear();
        if (durability == Durability.PROCESS) {
            send(answers, after, compare);
        } else {
            log.whenDurable(loop, () -> send(answers, after, compare), lost -> refuse(answers, compare, lost));
        }
    }

    private void send(List<Answer> answers, List<Runnable> after, List<ShadowTime.Comparison> compare) {
        each(answers, Answer::send);
        each(after, Runnable::run);
        shadowTime.spend(compare);
    }

    private static void refuse(List<Answer> answers, List<ShadowTime.Comparison> compare, Exception cause) {
        each(answers, answer -> answer.refuse(cause));
        each(compare, comparison -> comparison.shadow().observer().dropped());
    }

    /** A client that has gone must not keep the others from their answers. */
    private static <T> void each(List<T> all, Consumer<T> action) {
        for (T one : all) {
            try {
                action.accept(one);
            } catch (RuntimeException e) {
                LOG.debug("an answer could not be sent, or what follows it not be done", e);
            }
        }
    }

    /** Evaluates made-up calls until the code is warm; nothing is logged. */
    public void warmUp(int times, TenantPolicy policy, Call call) {
        Moment now = now();
        for (int i = 0; i < times; i++) {
            var request = new Request("warm-up", call, now.instant(), policy.values());
            Verdict verdict = policy.verdict(evaluator(policy.base()).evaluate(request));
            var decided = new Decided(id(now), now, Dialect.AUTHZEN, call, null, verdict, null);
            if (AuthzenAnswer.single(decided).length == 0 && verdict.outcome() == Outcome.ALLOW) {
                throw new IllegalStateException("an answer cannot be empty");
            }
        }
    }
}
