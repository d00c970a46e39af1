package dev.countersign.rules.boundary;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.engine.CompiledRule;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.verdict.Verdict;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The boundary requests in which a condition holds, with the verdicts of one judge. */
public final class Boundary {
    private static final int MOST_REQUESTS = 50_000;
    private static final long MOST_STEPS = 2_000_000;
    private static final long MOST_WORK = 10_000_000;

    /**
     * What looking for a verdict found.
     *
     * @param found the first request with such a verdict, or {@code null}
     * @param tried in how many requests the condition held
     * @param whyNotExact why there might be such a request all the same, in one sentence; {@code null} if there cannot
     */
    public record Answer(
            @Nullable Found found, int tried, @Nullable String whyNotExact) {}

    /** A request, when it is made, and its verdict. */
    public record Found(JsonNode body, Instant now, Verdict verdict) {}

    private final Judge judge;
    private final Frame frame;

    /** The boundary requests of a judge's rules. */
    public Boundary(Judge judge, Frame frame) {
        this.judge = judge;
        this.frame = frame;
    }

    /**
     * Looks for a request in which conditions hold and whose verdict is such.
     *
     * @param pack the pack in whose vocabulary the conditions are written
     * @param when what must hold, all of it; unknown is not enough
     * @param such what is looked for
     */
    public Answer find(String pack, List<Expr> when, Predicate<Verdict> such) {
        var comparison = new Comparison(List.of(judge, judge), frame, MOST_WORK);
        var core = List.of(new Clause(pack, 0, when, null, null));
        List<Clause> all =
                judge.rules().stream().map(rule -> Clause.common(rule, rule)).toList();
        var narrow = new Space(comparison, core, all, true);
        List<Clause> rest = all.stream().filter(narrow::possible).toList();
        var space = new Space(comparison, core, rest, false);
        var found = new ArrayList<Found>();
        var search = new Search(
                space,
                core.stream().map(space::formula).toList(),
                rest.stream().map(space::formula).toList(),
                status -> found.isEmpty() && status[0] == Condition.TRUE,
                (values, status) -> {
                    if (found.isEmpty()) {
                        Verdict verdict = verdict(space, rest, values, status);
                        if (such.test(verdict)) {
                            found.add(new Found(space.body(values), space.now(values), verdict));
                        }
                    }
                },
                MOST_REQUESTS,
                MOST_STEPS);
        var clauses = new ArrayList<>(core);
        clauses.addAll(rest);
        Set<String> doubts = new LinkedHashSet<>(Doubts.of(comparison, space, clauses));
        search.run().forEach(comparison::cut);
        doubts.addAll(search.sampled());
        doubts.addAll(comparison.cuts());
        return new Answer(
                found.isEmpty() ? null : found.get(0),
                search.visited(),
                doubts.isEmpty() ? null : Doubts.sentence(doubts));
    }

    private Verdict verdict(Space space, List<Clause> rest, int[] values, byte[] status) {
        var rules = new ArrayList<CompiledRule>();
        for (int i = 0; i < rest.size(); i++) {
            CompiledRule rule = rest.get(i).before();
            if (rule != null && status[i + 1] != Condition.FALSE) {
                rules.add(rule);
            }
        }
        return judge.judge(space.request(0, values), rules);
    }
}
