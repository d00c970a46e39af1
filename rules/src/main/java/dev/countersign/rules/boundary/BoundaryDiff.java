package dev.countersign.rules.boundary;

import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.engine.Evaluation;
import dev.countersign.rules.facts.Request;
import dev.countersign.rules.verdict.DenyOverrides;
import dev.countersign.rules.verdict.Fallback;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The comparison of two judges on boundary requests: for every literal, parameter and list entry that their rules
 * mention, the value, its neighbours, something else, nothing and the wrong type. Only requests in which a rule that
 * differs can hold are made. The same judges always give the same result.
 */
public final class BoundaryDiff {
    /** The most requests of one comparison, unless another number is given. */
    public static final int MOST_REQUESTS = 200_000;

    private static final int MOST_GROUPS = 500;
    private static final int MOST_CHANGES = 100;
    private static final long STEPS_A_REQUEST = 30;
    private static final long LEAST_STEPS = 20_000;
    private static final long MOST_WORK = 12_000_000;
    private static final int RULE_WORK = 200; // steps that it takes to make a space for one rule

    private final Frame frame;
    private final int most;

    /** A comparison of requests of this frame. */
    public BoundaryDiff(Frame frame) {
        this(frame, MOST_REQUESTS);
    }

    /** A comparison of at most so many requests. */
    public BoundaryDiff(Frame frame, int most) {
        this.frame = frame;
        this.most = most;
    }

    /** What changes from one judge to the other. */
    public DiffResult compare(Judge before, Judge after) {
        DiffResult whole = new Run(before, after).result();
        return whole.widening() == DiffResult.Widening.COULD && apart(before, after) ? whole.notWidening() : whole;
    }

    /**
     * Whether the denials that differ only grow, and the allows only shrink, looked at by themselves: then nothing more
     * happens whatever the other rules say. There are far fewer fields to try than in all rules together.
     */
    private boolean apart(Judge before, Judge after) {
        if (!before.combine().equals(after.combine())) {
            return false;
        }
        var denials = List.of(new ArrayList<CompiledRule>(), new ArrayList<CompiledRule>());
        var allows = List.of(new ArrayList<CompiledRule>(), new ArrayList<CompiledRule>());
        for (List<Clause> group : Difference.of(before, after).groups()) {
            for (Clause clause : group) {
                CompiledRule rule = clause.before() == null ? clause.after() : clause.before();
                if (rule == null) {
                    return false;
                }
                List<Effect> effects = rule.rule().effects();
                if (effects.stream().allMatch(Effect.Deny.class::isInstance)) {
                    denials.get(clause.side()).add(rule);
                } else if (effects.stream().allMatch(Effect.Allow.class::isInstance)) {
                    allows.get(clause.side()).add(rule);
                } else {
                    return false;
                }
            }
        }
        return narrows(before, after, denials, BoundaryDiff::open)
                && narrows(before, after, allows, DenyOverrides::combine);
    }

    private static Verdict open(Evaluation evaluation) {
        return DenyOverrides.combine(evaluation, Fallback.of(Outcome.ALLOW));
    }

    private boolean narrows(
            Judge before,
            Judge after,
            List<? extends List<CompiledRule>> rules,
            Function<Evaluation, Verdict> combine) {
        Judge first = before.withRules(rules.get(0)).combining(combine);
        Judge second = after.withRules(rules.get(1)).combining(combine);
        return new Run(first, second).result().widening() == DiffResult.Widening.NO;
    }

    /** One comparison. */
    private final class Run {
        private final List<Judge> judges;
        private final Strictness strictness;
        private final Difference difference;
        private final Map<List<@Nullable Object>, Change> changes = new LinkedHashMap<>();
        private final Set<String> doubts = new LinkedHashSet<>();
        private int tried;
        private long steps;
        private long work;

        Run(Judge before, Judge after) {
            this.judges = List.of(before, after);
            this.strictness = new Strictness(before, after);
            this.difference = Difference.of(before, after);
        }

        DiffResult result() {
            boolean combined = judges.get(0).combine().equals(judges.get(1).combine());
            List<List<Clause>> groups = combined ? difference.groups() : List.of(List.of(Clause.ALWAYS));
            if (groups.size() > MOST_GROUPS) {
                doubts.add("more than " + MOST_GROUPS + " rules differ; only some of them were looked at");
            }
            int step = Math.max(1, (groups.size() + MOST_GROUPS - 1) / MOST_GROUPS);
            var all = new ArrayList<Difference.Anchored>();
            difference.common().forEach(clause -> all.add(Difference.Anchored.of(clause)));
            difference.groups().forEach(group -> group.forEach(clause -> all.add(Difference.Anchored.of(clause))));
            for (int i = 0; i < groups.size(); i += step) {
                if (work > MOST_WORK) {
                    doubts.add("too many rules differ; only the first of them were looked at");
                    break;
                }
                int left = (groups.size() - i + step - 1) / step;
                int share = Math.min(Math.max(100, (most - tried) / left), most - tried);
                group(groups.get(i), all, share, Math.max(LEAST_STEPS, (most * STEPS_A_REQUEST - steps) / left));
            }
            List<Change> found = changes.values().stream()
                    .sorted(Comparator.comparing(Change::widens).reversed().thenComparing(Change::kind))
                    .toList();
            boolean exact = doubts.isEmpty();
            boolean could = difference.couldWiden()
                    || judges.get(0).combine() != judges.get(1).combine();
            DiffResult.Widening widening = found.stream().anyMatch(Change::widens)
                    ? DiffResult.Widening.YES
                    : exact || !could ? DiffResult.Widening.NO : DiffResult.Widening.COULD;
            return new DiffResult(found, widening, exact, exact ? null : Doubts.sentence(doubts), tried);
        }

        private void group(List<Clause> core, List<Difference.Anchored> all, int share, long mostSteps) {
            if (share <= 0) {
                doubts.add("there are more than " + most + " boundary requests");
                return;
            }
            List<Clause> others = Difference.beside(core, all);
            var narrow = new Space(judges, frame, core, others, true);
            List<Clause> rest = others.stream().filter(narrow::possible).toList();
            var space = new Space(judges, frame, core, rest, false);
            List<Clause> clauses = new ArrayList<>(core);
            clauses.addAll(rest);
            doubts.addAll(Doubts.of(judges, space, clauses));
            var known = new HashMap<String, Change>();
            var search = new Search(
                    space,
                    core.stream().map(space::formula).toList(),
                    rest.stream().map(space::formula).toList(),
                    status -> differs(core, status),
                    (values, status) -> judge(space, clauses, values, status, known),
                    share,
                    mostSteps);
            doubts.addAll(search.run());
            tried += search.visited();
            work += search.steps() + (long) RULE_WORK * (1 + rest.size());
            steps += search.steps();
        }

        /** Whether what the core says can make a difference: not if both sides say the same things. */
        private boolean differs(List<Clause> core, byte[] status) {
            var said = new ArrayList<Object>();
            for (int i = 0; i < status.length; i++) {
                Clause clause = core.get(i);
                CompiledRule rule = clause.side() == 0 ? clause.before() : clause.after();
                if (rule == null) {
                    return true;
                }
                if (clause.coarse(status[i]) != Condition.FALSE) {
                    Object what = List.of(rule.rule().effects(), status[i]);
                    if (clause.side() == 0 || !said.remove(what)) {
                        said.add(what);
                    }
                }
            }
            boolean templates = judges.get(0).templates().equals(judges.get(1).templates());
            return !said.isEmpty() || !templates && core.size() > 1;
        }

        private void judge(Space space, List<Clause> clauses, int[] values, byte[] status, Map<String, Change> known) {
            String key = new String(status, java.nio.charset.StandardCharsets.ISO_8859_1);
            if (known.containsKey(key)) {
                Change again = known.get(key);
                if (again.requests() > 0) {
                    changes.computeIfPresent(key(again), (of, change) -> change.andOneMore());
                }
                return;
            }
            Verdict first = verdict(0, space, clauses, values, status);
            Verdict second = verdict(1, space, clauses, values, status);
            Strictness.Difference found = strictness.compare(first, second);
            var change = new Change(
                    found == null ? Change.Kind.REASON : found.kind(),
                    found != null && found.widens(),
                    first,
                    second,
                    space.body(values),
                    space.now(values),
                    found == null ? 0 : 1);
            known.put(key, change);
            if (found != null) {
                boolean room = changes.size() < MOST_CHANGES || change.widens();
                if (room || changes.containsKey(key(change))) {
                    changes.merge(key(change), change, (old, more) -> old.andOneMore());
                }
            }
        }

        private static List<@Nullable Object> key(Change change) {
            return java.util.Arrays.asList(
                    change.kind(),
                    change.widens(),
                    change.before().outcome(),
                    change.after().outcome(),
                    change.before().reasons(),
                    change.after().reasons(),
                    Strictness.id(change.before()),
                    Strictness.id(change.after()));
        }

        private Verdict verdict(int side, Space space, List<Clause> clauses, int[] values, byte[] status) {
            Request request = space.request(side, values);
            var rules = new ArrayList<CompiledRule>();
            for (int i = 0; i < clauses.size(); i++) {
                CompiledRule rule =
                        side == 0 ? clauses.get(i).before() : clauses.get(i).after();
                if (rule != null && status[i] != Condition.FALSE) {
                    rules.add(rule);
                }
            }
            return judges.get(side).judge(request, rules);
        }
    }
}
