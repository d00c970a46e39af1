package dev.countersign.rules.boundary;

import static dev.countersign.rules.boundary.Judges.ALLOW;
import static dev.countersign.rules.boundary.Judges.diff;
import static dev.countersign.rules.boundary.Judges.rule;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.boundary.DiffResult.Widening;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** However many patterns there are, what is done about them is counted, and ends. */
class BoundaryWorkTest {
    private static final int MANY = 2_000;
    private static final long WORK = 2_000_000;

    private static String globs(int many, String pattern) {
        return IntStream.range(0, many)
                .mapToObj(i -> rule(
                        "r" + i,
                        "action == \"pay\", glob(region, \"" + pattern.formatted(i) + "\")",
                        "decision.deny(\"NO\");"))
                .collect(Collectors.joining("", ALLOW, ""));
    }

    /** All rules of one judge, looked at beside the first that denies. */
    private static final class Looked {
        final Comparison comparison;
        final List<Clause> clauses;
        final Space space;

        Looked(String rules, long work) {
            Judge judge = Judges.of(rules);
            comparison = new Comparison(List.of(judge, judge), Judges.FRAME, work);
            clauses = new ArrayList<>();
            judge.rules().forEach(rule -> clauses.add(Clause.common(rule, rule)));
            space = new Space(comparison, clauses.subList(1, 2), clauses, false);
        }

        Set<String> doubts() {
            return Doubts.of(comparison, space, clauses);
        }
    }

    @Test
    void patternsOfWhichNotAllCombinationsCanBeTriedAreSampledWithoutTryingAny() {
        var looked = new Looked(globs(MANY, "*-x%d"), WORK);
        long left = looked.comparison.left();

        assertThat(looked.doubts()).hasSize(MANY).allMatch(doubt -> doubt.contains("compares with a pattern"));
        assertThat(left - looked.comparison.left())
                .as("no more than a look at each test")
                .isLessThanOrEqualTo(3L * MANY);
        assertThat(looked.comparison.cuts()).isEmpty();
    }

    @Test
    void patternsThatAreTriedAreTriedAsLongAsThereIsWorkLeft() {
        var looked = new Looked(globs(MANY, "x%d.*"), WORK);

        assertThat(looked.doubts()).isNotEmpty();
        assertThat(looked.comparison.cuts())
                .singleElement()
                .asString()
                .contains("more patterns than could be looked at");
        assertThat(looked.comparison.left())
                .as("it ends with the text at which the work ends")
                .isBetween(-2L * (MANY + Comparison.WORK_A_REQUEST), 0L);
    }

    @Test
    void aFewPrefixesAreExact() {
        var looked = new Looked(globs(50, "x%d.*"), WORK);

        assertThat(looked.doubts()).isEmpty();
        assertThat(looked.comparison.cuts()).isEmpty();
    }

    @Test
    void aRuleOfWhichItIsNotKnownWhetherItCanHoldHasASay() {
        String apart = globs(2, "x%d.*")
                .replace("\"r1\" when Request( action == \"pay\"", "\"r1\" when Request( action == \"no\"");
        assertThat(apart).contains("\"no\"");
        var looked = new Looked(apart, WORK);
        Clause other = looked.clauses.get(2);
        assertThat(new Space(looked.comparison, List.of(looked.clauses.get(1)), looked.clauses, true).possible(other))
                .isFalse();

        var narrow = new Space(looked.comparison, List.of(looked.clauses.get(1)), looked.clauses, true);
        looked.comparison.spend(looked.comparison.left());
        assertThat(narrow.possible(other)).isTrue();
    }

    @Test
    void aChangeAmongManyPatternsIsNotExact() {
        String before = globs(MANY, "*-x%d");
        DiffResult narrower = diff(before.replace("*-x7\"", "*-x77777\""), before);
        assertThat(narrower.exact()).isFalse();
        assertThat(narrower.whyNotExact()).contains("compares with a pattern");

        DiffResult gone = diff(before, ALLOW);
        assertThat(gone.widening()).isEqualTo(Widening.YES);
        assertThat(gone.exact()).isFalse();
        assertThat(gone.cut()).isTrue();
    }

    @Test
    void whatIsOnlySampledIsNotCutShort() {
        String before = ALLOW + rule("no", "region matches \"(eu|us)-[0-9]+\"", "decision.deny(\"NO\");");
        DiffResult sampled = diff(before, before.replace("[0-9]+", "[0-9][0-9]*"));
        assertThat(sampled.widening()).isEqualTo(Widening.COULD);
        assertThat(sampled.cut()).isFalse();

        Judge denies = Judges.of(ALLOW + rule("no", "amount > 10", "decision.deny(\"NO\");"));
        assertThat(new BoundaryDiff(Judges.FRAME, 0).compare(denies, Judges.of(ALLOW)))
                .satisfies(bounded -> {
                    assertThat(bounded.widening()).isEqualTo(Widening.COULD);
                    assertThat(bounded.cut()).isTrue();
                });
    }

    @Test
    void anotherLimitIsAnotherChange() {
        String limited = ALLOW
                + rule("la", "action == \"a\"", "decision.limit(\"tokens\", 10, \"run\");")
                + rule("lb", "action == \"b\"", "decision.limit(\"tokens\", 20, \"run\");");
        String deny = rule("no", "action in (\"a\", \"b\")", "decision.deny(\"NO\");");

        assertThat(diff(limited + deny, limited).changes())
                .extracting(change -> change.after().obligations().toString())
                .hasSize(2)
                .doesNotHaveDuplicates();
    }
}
