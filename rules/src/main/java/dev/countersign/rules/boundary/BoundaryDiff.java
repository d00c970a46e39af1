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

    private static final int MOST_CHANGES = 100;
    private static final int MOST_BINDING = 100;
    private static final long STEPS_A_REQUEST = 30;
    private static final long LEAST_STEPS = 20_000;
    private static final long MOST_WORK = 2_000_000; // some 0.3 s of a core
    private static final String NOT_ALL = "many rules differ; only some of them were looked at";

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
        var difference = Difference.of(before, after);
        DiffResult whole = new Run(before, after, difference, MOST_WORK).result();
        return whole.widening() == DiffResult.Widening.COULD && apart(before, after, difference)
                ? whole.notWidening()
                : whole;
    }

    /**
     * Whether the denials that differ only grow, and the allows only shrink, looked at by themselves: then nothing more
     * happens whatever the other rules say. There are far fewer fields to try than in all rules together.
     */
    private boolean apart(Judge before, Judge after, Difference difference) {
        if (!before.combine().equals(after.combine())) {
            return false;
        }
        var denials = new ArrayList<List<Clause>>();
        var allows = new ArrayList<List<Clause>>();
        for (List<Clause> group : difference.groups()) {
            var denying = new ArrayList<Clause>();
            var allowing = new ArrayList<Clause>();
            for (Clause clause : group) {
                CompiledRule rule = clause.before() == null ? clause.after() : clause.before();
                List<Effect> effects = rule == null ? List.of() : rule.rule().effects();
                if (effects.stream().allMatch(Effect.Deny.class::isInstance)) {
                    denying.add(clause);
                } else if (effects.stream().allMatch(Effect.Allow.class::isInstance)) {
                    allowing.add(clause);
                } else {
                    return false;
                }
            }
            denials.add(denying);
            allows.add(allowing);
        }
        return narrows(before, after, denials, BoundaryDiff::open)
                && narrows(before, after, allows, DenyOverrides::combine);
    }

    private static Verdict open(Evaluation evaluation) {
        return DenyOverrides.combine(evaluation, Fallback.of(Outcome.ALLOW));
    }

    private boolean narrows(
            Judge before, Judge after, List<List<Clause>> groups, Function<Evaluation, Verdict> combine) {
        var difference = new Difference(
                List.of(), groups.stream().filter(group -> !group.isEmpty()).toList());
        return new Run(before.combining(combine), after.combining(combine), difference, MOST_WORK / 4)
                        .result()
                        .widening()
                == DiffResult.Widening.NO;
    }

    /** One comparison. */
    private final class Run {
        private final List<Judge> judges;
        private final Comparison comparison;
        private final Strictness strictness;
        private final Difference difference;
        private final Map<List<@Nullable Object>, Change> changes = new LinkedHashMap<>();
        private final Set<String> doubts = new LinkedHashSet<>();
        private int tried;
        private long steps;

        Run(Judge before, Judge after, Difference difference, long work) {
            this.judges = List.of(before, after);
            this.comparison = new Comparison(judges, frame, work);
            this.strictness = new Strictness(before, after);
            this.difference = difference;
        }

        DiffResult result() {
            boolean combined = judges.get(0).combine().equals(judges.get(1).combine());
            List<List<Clause>> groups = combined ? difference.of(frame.tenant()) : List.of(List.of(Clause.ALWAYS));
            var all = new ArrayList<Difference.Anchored>();
            difference.common().forEach(clause -> all.add(Difference.Anchored.of(clause)));
            difference.groups().forEach(group -> group.forEach(clause -> all.add(Difference.Anchored.of(clause))));
            all.removeIf(clause -> !clause.in(frame.tenant()));
            int binding = 0;
            for (int i = 0; i < groups.size(); i++) {
                boolean binds = combined && !Difference.couldWiden(groups.get(i));
                if (comparison.left() <= 0 || binds && (changes.size() >= MOST_CHANGES || binding++ >= MOST_BINDING)) {
                    comparison.cut(NOT_ALL);
                    break;
                }
                int left = groups.size() - i;
                int share = Math.min(Math.max(100, (most - tried) / left), most - tried);
                long stepsLeft = Math.min(most * STEPS_A_REQUEST - steps, comparison.left());
                group(groups.get(i), all, share, Math.max(LEAST_STEPS, stepsLeft / left));
            }
            List<Change> found = changes.values().stream()
                    .sorted(Comparator.comparing(Change::widens).reversed().thenComparing(Change::kind))
                    .toList();
            boolean cut = !comparison.cuts().isEmpty();
            Set<String> why = new LinkedHashSet<>(comparison.cuts());
            why.addAll(doubts);
            boolean exact = why.isEmpty();
            boolean could = difference.couldWiden() || !combined;
            DiffResult.Widening widening = found.stream().anyMatch(Change::widens)
                    ? DiffResult.Widening.YES
                    : exact || !could ? DiffResult.Widening.NO : DiffResult.Widening.COULD;
            return new DiffResult(found, widening, exact, cut, exact ? null : Doubts.sentence(why), tried);
        }

        private void group(List<Clause> core, List<Difference.Anchored> all, int share, long mostSteps) {
            if (share <= 0) {
                comparison.cut("there are more than " + most + " boundary requests");
                return;
            }
            List<Clause> others = Difference.beside(core, all);
            var narrow = new Space(comparison, core, others, true);
            List<Clause> rest = others.stream().filter(narrow::possible).toList();
            var space = new Space(comparison, core, rest, false);
            List<Clause> clauses = new ArrayList<>(core);
            clauses.addAll(rest);
            doubts.addAll(Doubts.of(comparison, space, clauses));
            var known = new HashMap<String, Change>();
            var search = new Search(
                    space,
                    core.stream().map(space::formula).toList(),
                    rest.stream().map(space::formula).toList(),
                    status -> differs(core, status),
                    (values, status) -> judge(space, clauses, values, status, known),
                    share,
                    mostSteps);
            search.run().forEach(comparison::cut);
            doubts.addAll(search.sampled());
            tried += search.visited();
            steps += search.steps();
            comparison.spend(search.steps());
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
            comparison.spend(2L * clauses.size());
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

        private List<@Nullable Object> key(Change change) {
            return java.util.Arrays.asList(
                    change.kind(),
                    change.widens(),
                    change.before().outcome(),
                    change.after().outcome(),
                    change.before().reasons(),
                    change.after().reasons(),
                    Strictness.id(change.before()),
                    Strictness.id(change.after()),
                    Strictness.terms(change.before(), judges.get(0)),
                    Strictness.terms(change.after(), judges.get(1)));
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
