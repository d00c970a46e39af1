package dev.countersign.rules.boundary;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.dialect.Canonical;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.Type;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Why the boundary requests of some clauses may not stand for all requests. Comparisons with literals, memberships and
 * presence are exact. A pattern is exact if, together with the other patterns of its spot, every combination of results
 * was tried with a text that no rule names; else, and where two values are compared with each other, it is sampled.
 */
final class Doubts {
    private static final int MOST_PATTERNS = 6;
    private static final int MOST_SAID = 2;
    private static final String OUT_OF_WORK = "there are more patterns than could be looked at";

    private final Comparison comparison;
    private final Survey survey;
    private final Space space;
    private final Set<String> out = new LinkedHashSet<>();
    private final Map<Spot, Map<String, Expr.Test>> patterns = new LinkedHashMap<>();
    private final Map<String, Clause> written = new HashMap<>();
    private final Map<Spot, Set<Spot>> partners = new LinkedHashMap<>();
    private final Set<Spot> unequal = new HashSet<>();
    private final Map<Spot, Set<String>> lists = new HashMap<>();

    private Doubts(Comparison comparison, Space space) {
        this.comparison = comparison;
        this.survey = space.survey();
        this.space = space;
    }

    /**
     * The reasons, in sentences without a full stop; empty if the space is exact, unless bounds cut it, which the
     * comparison knows.
     */
    static Set<String> of(Comparison comparison, Space space, List<Clause> clauses) {
        var doubts = new Doubts(comparison, space);
        clauses.forEach(clause -> Survey.tests(clause, test -> doubts.look(clause, test)));
        doubts.pairs();
        doubts.patterns.forEach(doubts::patterns);
        doubts.aliases();
        return doubts.out;
    }

    /** Some of these reasons in one sentence. */
    static String sentence(Set<String> doubts) {
        List<String> some = doubts.stream().limit(MOST_SAID).toList();
        return String.join("; ", some)
                + (doubts.size() > some.size() ? "; and " + (doubts.size() - some.size()) + " more" : "");
    }

    private void look(Clause clause, Expr.Test test) {
        comparison.spend(1);
        boolean pattern = test instanceof Expr.Matches
                || test instanceof Expr.Affix
                || test instanceof Expr.MatchesGlob
                || test instanceof Expr.InCidr;
        Set<Spot> read = survey.spots(test);
        if (Survey.readsParty(test)) {
            boolean literals = test instanceof Expr.In
                    || test instanceof Expr.IsNull
                    || test instanceof Expr.Compare compare && compare.right() instanceof Operand.Literal;
            if (!literals) {
                sampled(test, "asks more of the agent or user than who it is");
            }
            return;
        }
        test.attributes(attribute -> inside(test, attribute));
        Spot spot = read.isEmpty() ? null : List.copyOf(read).get(read.size() - 1);
        if (spot == null || read.size() > 1 && !Space.readsTool(test)) {
            joint(test, new ArrayList<>(read));
            return;
        }
        if (test instanceof Expr.MemberOfList member) {
            pattern = entries(clause.side(), member, spot);
        }
        if (pattern) {
            // A list can hold something else on either side; what else is written the same means the same at one spot.
            String own = test instanceof Expr.MemberOfList ? clause.side() + clause.pack() + ": " : "";
            String text = own + comparison.text(test);
            patterns.computeIfAbsent(spot, key -> new LinkedHashMap<>()).put(text, test);
            written.put(text, clause);
        }
        counts(comparison.judge(clause.side()), test);
    }

    private void inside(Expr.Test test, Attribute attribute) {
        for (Spot spot : comparison.spots(attribute)) {
            var source = attribute.source();
            boolean at = space.spots().contains(spot)
                    && (source == null || source.steps().size() == spot.steps().size());
            if (!at) {
                sampled(test, "reads inside of other values");
            }
        }
    }

    /** Whether the list holds patterns; and if it is too long to try all entries beside another list, says so. */
    private boolean entries(int side, Expr.MemberOfList member, Spot spot) {
        lists.computeIfAbsent(spot, key -> new HashSet<>()).add(member.list().name());
        List<String> tried = comparison.entries(member.list());
        if (tried.size() == Survey.MOST_ENTRIES && lists.get(spot).size() > 1) {
            comparison.cut("the list `" + member.list().name() + "` is too long to try every entry");
        }
        return comparison.holdsPatterns(side, member.list());
    }

    private void counts(Judge judge, Expr.Test test) {
        for (Operand operand : Canonical.operands(test)) {
            if (operand instanceof Operand.Count count) {
                survey.at(comparison.spots(count.list()).get(0)).values().forEach(mentions -> {
                    if (mentions.asked || count.pattern() != null || mentions.sizes.isEmpty() || mentions.tooLong) {
                        sampled(test, "counts a long list, some of its texts, or one that is also asked for its texts");
                    }
                });
            } else if (operand instanceof Operand.HoursSince
                    && Canonical.operands(test).stream()
                            .anyMatch(other -> Survey.value(judge, other) instanceof Double hours
                                    && (hours * 3_600 != Math.rint(hours * 3_600)
                                            || Math.abs(hours) >= Survey.MOST_HOURS))) {
                sampled(test, "compares with a part of a second, or a time that is far away");
            } else if (operand instanceof Operand.Field field && field.type() == Type.LIST) {
                survey.at(comparison.spots(field.attribute()).get(0)).values().forEach(mentions -> {
                    if (mentions.texts.size() > 4) {
                        sampled(test, "asks a list that could hold many combinations of texts");
                    }
                });
            }
        }
    }

    /** Two texts of which nothing is asked but literals and whether both are equal are exact; other pairs are not. */
    private void joint(Expr.Test test, List<Spot> read) {
        if (read.isEmpty()) {
            return;
        }
        boolean equality = read.size() == 2
                && test instanceof Expr.Compare compare
                && compare.op().equality()
                && compare.left() instanceof Operand.Field left
                && compare.right() instanceof Operand.Field
                && left.type() == Type.TEXT;
        if (!equality) {
            sampled(test, "compares two values");
            return;
        }
        partners.computeIfAbsent(read.get(0), key -> new HashSet<>()).add(read.get(1));
        partners.computeIfAbsent(read.get(1), key -> new HashSet<>()).add(read.get(0));
        unequal.addAll(read);
    }

    private void pairs() {
        for (Spot spot : unequal) {
            if (partners.getOrDefault(spot, Set.of()).size() > 1 || patterns.containsKey(spot)) {
                out.add(Space.name(spot) + " is compared with more than one other value, or with a pattern as well:"
                        + " that is sampled");
            }
        }
    }

    /** The text with which everything that a pattern matches begins, and nothing else does; {@code null} if it is no such pattern. */
    private static @Nullable String prefix(Expr.Test test) {
        if (test instanceof Expr.Affix affix && affix.starts()) {
            return affix.text();
        }
        if (!(test instanceof Expr.MatchesGlob glob)) {
            return null;
        }
        int star = glob.pattern().indexOf('*');
        return star >= 0 && star == glob.pattern().length() - 1 ? glob.pattern().substring(0, star) : null;
    }

    private void patterns(Spot spot, Map<String, Expr.Test> tests) {
        boolean blocks = tests.values().stream().anyMatch(Expr.InCidr.class::isInstance);
        boolean mixed = blocks && !tests.values().stream().allMatch(Expr.InCidr.class::isInstance);
        Set<@Nullable String> prefixes = new HashSet<>();
        tests.values().forEach(test -> prefixes.add(prefix(test)));
        // Of prefixes, a text has one that is the longest, and with it those that it begins with; or none.
        int combinations = tests.size() > MOST_PATTERNS ? Integer.MAX_VALUE : (1 << tests.size()) + (blocks ? 1 : 0);
        int wanted = prefixes.contains(null) ? combinations : prefixes.size() + 1;
        if (mixed || !tried(spot, tests, blocks, wanted)) {
            tests.values().forEach(test -> sampled(test, "compares with a pattern"));
        }
    }

    /** Whether so many combinations of what patterns say are among the texts that are tried and that no rule names. */
    private boolean tried(Spot spot, Map<String, Expr.Test> tests, boolean blocks, int wanted) {
        if (wanted == Integer.MAX_VALUE) {
            return false;
        }
        Set<String> named = new HashSet<>();
        survey.at(spot).values().forEach(mentions -> named.addAll(mentions.texts));
        Set<String> seen = new HashSet<>();
        List<@Nullable JsonNode> values = Candidates.of(survey.at(spot), spot.required());
        for (int i = 0; i < values.size() && seen.size() + values.size() - i >= wanted && seen.size() < wanted; i++) {
            if (comparison.left() <= 0) {
                comparison.cut(OUT_OF_WORK);
                return false;
            }
            JsonNode value = values.get(i);
            if (value != null && value.isTextual() && !named.contains(value.textValue())) {
                String results = results(spot, tests, value);
                if (blocks || results.indexOf('0' + Condition.UNKNOWN) < 0) {
                    seen.add(results);
                }
            }
        }
        return seen.size() >= wanted;
    }

    private String results(Spot spot, Map<String, Expr.Test> tests, JsonNode text) {
        var results = new StringBuilder();
        tests.forEach((key, test) -> {
            int said = space.alone(Objects.requireNonNull(written.get(key)), test, spot, text);
            results.append(said == Space.OPEN ? "-" : said); // no text can stand here
        });
        return results.toString();
    }

    private void aliases() {
        for (Spot one : space.spots()) {
            for (Spot other : space.spots()) {
                if (one.aliases(other)) {
                    out.add(Space.name(one) + " and " + Space.name(other) + " can be one place under two names");
                }
            }
        }
    }

    private void sampled(Expr.Test test, String why) {
        out.add("`" + Canonical.expr(test) + "` " + why + ": that is sampled");
    }
}
