package dev.countersign.rules.boundary;

import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.engine.Conditions;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.facts.NamedList;
import dev.countersign.rules.facts.Request;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Two judges that are compared, what the spaces between them have in common, and how much may still be done for it. What is
 * done is counted, not timed: the same judges always come to the same result. Confined to one thread.
 */
final class Comparison {
    /** What it takes to make a request, in evaluations. */
    static final int WORK_A_REQUEST = 20;

    private static final Object ABSENT = new Object();

    private final List<Judge> judges;
    private final Frame frame;
    private final List<Conditions> conditions;
    private final List<IdentityHashMap<Expr, Condition>> closures =
            List.of(new IdentityHashMap<>(), new IdentityHashMap<>());
    private final IdentityHashMap<Attribute, List<Spot>> spots = new IdentityHashMap<>();
    private final IdentityHashMap<Expr.Test, List<String>> samples = new IdentityHashMap<>();
    private final IdentityHashMap<Expr.Test, String> texts = new IdentityHashMap<>();
    private final List<Map<Spot, Map<Object, Optional<Request>>>> singles = List.of(new HashMap<>(), new HashMap<>());
    private final IdentityHashMap<NamedList, List<String>> entries = new IdentityHashMap<>();
    private final List<IdentityHashMap<NamedList, Boolean>> patterns =
            List.of(new IdentityHashMap<>(), new IdentityHashMap<>());
    private final Set<String> cuts = new LinkedHashSet<>();
    private long left;

    /**
     * A comparison.
     *
     * @param judges the judge before and the one after
     * @param most about how many evaluations of a condition it may take
     */
    Comparison(List<Judge> judges, Frame frame, long most) {
        this.judges = judges;
        this.frame = frame;
        this.conditions = judges.stream()
                .map(judge -> new Conditions(judge.values().layout()))
                .toList();
        this.left = most;
    }

    List<Judge> judges() {
        return judges;
    }

    Judge judge(int side) {
        return judges.get(side);
    }

    Frame frame() {
        return frame;
    }

    /** Counts what was done, in evaluations of a condition. */
    void spend(long evaluations) {
        left -= evaluations;
    }

    /** How much may still be done; nothing is begun where it is not positive. */
    long left() {
        return left;
    }

    /** Notes that a bound was reached, so that something was not looked at: why, in a sentence without a full stop. */
    void cut(String why) {
        cuts.add(why);
    }

    /** Why some of what there is was not looked at; empty if all was. */
    Set<String> cuts() {
        return cuts;
    }

    /** The closure of a condition for the layout of a side. */
    Condition condition(int side, Expr expr) {
        return closures.get(side)
                .computeIfAbsent(expr, made -> conditions.get(side).of(made));
    }

    /** The spots that decide an attribute. */
    List<Spot> spots(Attribute attribute) {
        return spots.computeIfAbsent(attribute, Spot::of);
    }

    /** What a test says, as text. */
    String text(Expr.Test test) {
        return texts.computeIfAbsent(test, Canonical::expr);
    }

    /** The request in which nothing but one spot has a value, or {@code null} if that is no call. */
    @Nullable
    Request single(int side, Spot spot, @Nullable Object value) {
        return singles.get(side)
                .computeIfAbsent(spot, any -> new HashMap<>())
                .computeIfAbsent(value == null ? ABSENT : value, any -> request(side, spot, value))
                .orElse(null);
    }

    private Optional<Request> request(int side, Spot spot, @Nullable Object value) {
        spend(WORK_A_REQUEST);
        var only = List.of(spot);
        try {
            Call call = Bodies.call(only, Bodies.of(only, Collections.singletonList(value)));
            Instant now = value instanceof Instant instant ? instant : frame.now();
            return Optional.of(
                    new Request(frame.tenant(), call, now, judge(side).values()));
        } catch (BadCall e) {
            return Optional.empty();
        }
    }

    /** The entries of a list that are tried. */
    List<String> entries(NamedList list) {
        return entries.computeIfAbsent(list, made -> Survey.entries(judges, made));
    }

    /** Whether a list holds patterns on a side. */
    boolean holdsPatterns(int side, NamedList list) {
        return patterns.get(side)
                .computeIfAbsent(
                        list,
                        made -> judge(side).value(made) instanceof List<?> all
                                && all.stream().map(String::valueOf).anyMatch(Glob::isPattern));
    }

    /** The texts around the pattern of a test. */
    List<String> samples(Expr.Test test, Supplier<List<String>> make) {
        return samples.computeIfAbsent(test, made -> make.get());
    }
}
