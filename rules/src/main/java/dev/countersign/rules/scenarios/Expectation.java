package dev.countersign.rules.scenarios;

import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a case demands of a verdict.
 *
 * @param decision the outcome
 * @param reasons exactly these reason codes, or {@code null} for any
 * @param matched rule names or globs, for each of which some rule must have matched
 * @param notMatched rule names or globs, for none of which a rule may have matched
 * @param obligations exactly these, in any order, or {@code null} for any
 * @param missing the attribute that the verdict must name as missing, or {@code null} if that is not checked
 */
public record Expectation(
        Outcome decision,
        @Nullable Set<String> reasons,
        List<String> matched,
        List<String> notMatched,
        @Nullable List<Effect> obligations,
        @Nullable String missing) {
    /** The failures of a verdict against these demands; empty if it meets them. */
    List<Failure> check(Verdict verdict) {
        var out = new ArrayList<Failure>();
        if (verdict.outcome() != decision) {
            out.add(failure("decision", decision.word(), verdict.outcome().word()));
        }
        if (reasons != null && !reasons.equals(Set.copyOf(verdict.reasons()))) {
            out.add(failure("reasons", shown(reasons), shown(verdict.reasons())));
        }
        if (missing != null && !missing.equals(verdict.missing())) {
            out.add(failure("missing", missing, verdict.missing() == null ? "none" : verdict.missing()));
        }
        List<String> names = verdict.matched().stream().map(Rule::name).toList();
        for (String glob : matched) {
            if (names.stream().noneMatch(new Glob(glob)::matches)) {
                out.add(failure("matched", glob, shown(names)));
            }
        }
        for (String glob : notMatched) {
            List<String> hits = names.stream().filter(new Glob(glob)::matches).toList();
            if (!hits.isEmpty()) {
                out.add(failure("not_matched", glob, shown(hits)));
            }
        }
        if (obligations != null && !lines(obligations).equals(lines(verdict.obligations()))) {
            out.add(failure("obligations", shown(lines(obligations)), shown(lines(verdict.obligations()))));
        }
        return List.copyOf(out);
    }

    private static Failure failure(String what, String expected, String got) {
        return new Failure(Failure.Kind.EXPECTATION, what, expected, got);
    }

    private static List<String> lines(List<Effect> effects) {
        return effects.stream().map(Expectation::line).sorted().toList();
    }

    /** An obligation as text in which the order of properties does not count. */
    private static String line(Effect effect) {
        if (effect instanceof Effect.Oblige oblige) {
            return Canonical.effect(new Effect.Oblige(oblige.type(), new java.util.TreeMap<>(oblige.properties())));
        }
        return Canonical.effect(effect);
    }

    private static String shown(Set<String> values) {
        return shown(new ArrayList<>(new TreeSet<>(values)));
    }

    private static String shown(List<String> values) {
        return values.stream().collect(Collectors.joining(", ", "[", "]"));
    }
}
