package dev.countersign.rules.boundary;

import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.dialect.Operand;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Glob;
import dev.countersign.rules.facts.NamedList;
import dev.countersign.rules.facts.Type;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What some clauses read and compare: the spots, and for each what its value is compared with. Spots of which one lies
 * inside the other are one spot.
 */
final class Survey {
    /** The most entries of a named list that are tried; those in which both judges differ come first. */
    static final int MOST_ENTRIES = 200;

    /** What it takes to look at one test, in evaluations. */
    private static final int WORK_A_TEST = 20;

    /** Times further away are not tried. */
    static final double MOST_HOURS = 1e7;

    private final Comparison comparison;
    private final Set<Spot> raw = new LinkedHashSet<>();
    private final Map<Spot, Map<List<String>, Mentions>> mentions = new LinkedHashMap<>();
    private final Map<Spot, Spot> wholes = new HashMap<>();
    private final IdentityHashMap<Expr.Test, Set<Spot>> read = new IdentityHashMap<>();

    /**
     * What these clauses read.
     *
     * @param only if given, the clauses whose spots are looked at; what others compare there counts all the same
     */
    Survey(Comparison comparison, List<Clause> clauses, @Nullable List<Clause> only) {
        this.comparison = comparison;
        clauses.forEach(clause -> clause.conditions()
                .forEach(condition -> condition.attributes(attribute -> raw.addAll(comparison.spots(attribute)))));
        for (Clause clause : only == null ? clauses : only) {
            tests(clause, test -> spots(test).forEach(spot -> mentions.putIfAbsent(spot, new LinkedHashMap<>())));
        }
        var joint = new LinkedHashMap<List<Object>, Expr.Test>(); // two tests of the same fields share the same
        for (Clause clause : clauses) {
            tests(clause, test -> {
                comparison.spend(WORK_A_TEST);
                mention(comparison.judge(clause.side()), test);
                List<Mentions> fields = fields(test);
                if (fields.size() > 1) {
                    joint.putIfAbsent(List.of(ofList(test), fields), test);
                }
            });
        }
        for (int pass = 0; pass < 2; pass++) {
            joint.values().forEach(this::share);
        }
        clauses.forEach(clause -> tests(clause, this::party));
    }

    /** Whether a test reads who the agent or the user is: the subject itself or what it carries, as its type says. */
    static boolean readsParty(Expr.Test test) {
        var read = new ArrayList<Attribute>();
        test.attributes(read::add);
        return read.stream()
                .anyMatch(attribute -> attribute.builtIn() == BuiltIn.AGENT || attribute.builtIn() == BuiltIn.USER);
    }

    private void party(Expr.Test test) {
        Map<List<String>, Mentions> type = mentions.get(Spot.SUBJECT_TYPE);
        Map<List<String>, Mentions> id = mentions.get(Spot.SUBJECT_ID);
        if (readsParty(test) && type != null && id != null) {
            type.computeIfAbsent(List.of(), key -> new Mentions()).texts.addAll(List.of("agent", "user"));
            fields(test).forEach(id.computeIfAbsent(List.of(), key -> new Mentions())::share);
        }
    }

    static void tests(Clause clause, java.util.function.Consumer<Expr.Test> visitor) {
        clause.conditions().forEach(condition -> condition.tests(visitor));
    }

    /** The spots to try values at, in the order in which clauses read them. */
    List<Spot> spots() {
        return List.copyOf(mentions.keySet());
    }

    /** What is compared inside a spot, by the path inside of it. */
    Map<List<String>, Mentions> at(Spot spot) {
        return mentions.getOrDefault(spot, Map.of());
    }

    /** The spots that decide a test. */
    Set<Spot> spots(Expr.Test test) {
        return read.computeIfAbsent(test, this::decide);
    }

    private Set<Spot> decide(Expr.Test test) {
        var out = new LinkedHashSet<Spot>();
        test.attributes(attribute -> comparison.spots(attribute).forEach(spot -> out.add(whole(spot))));
        boolean ages = dev.countersign.rules.dialect.Canonical.operands(test).stream()
                .anyMatch(Operand.HoursSince.class::isInstance);
        if (ages && raw.contains(Spot.NOW)) {
            out.add(Spot.NOW);
        }
        return out;
    }

    private Spot whole(Spot spot) {
        return wholes.computeIfAbsent(spot, this::outermost);
    }

    private Spot outermost(Spot spot) {
        for (int steps = 0; steps < spot.steps().size(); steps++) {
            var outer = new Spot(spot.root(), spot.reference(), spot.steps().subList(0, steps));
            if (raw.contains(outer)) {
                return outer;
            }
        }
        return spot;
    }

    /** The attributes that a test reads and that have mentions of their own. */
    private List<Mentions> fields(Expr.Test test) {
        var out = new ArrayList<Mentions>();
        test.attributes(attribute -> {
            Mentions found = of(attribute);
            if (found != null) {
                out.add(found);
            }
        });
        return out;
    }

    private @Nullable Mentions of(Attribute attribute) {
        List<Spot> spots = comparison.spots(attribute);
        if (spots.isEmpty()) {
            return null;
        }
        Spot own = spots.get(spots.size() - 1);
        Spot whole = whole(own);
        Map<List<String>, Mentions> inside = mentions.get(whole);
        if (inside == null) {
            return null;
        }
        var source = attribute.source();
        List<String> path = source == null
                ? List.of()
                : source.steps().subList(whole.steps().size(), source.steps().size());
        return inside.computeIfAbsent(List.copyOf(path), key -> new Mentions());
    }

    private void mention(Judge judge, Expr.Test test) {
        test.attributes(attribute -> {
            Mentions found = of(attribute);
            if (found != null) {
                found.types.add(attribute.type());
            }
            Map<List<String>, Mentions> type = mentions.get(Spot.RESOURCE_TYPE);
            if (attribute.builtIn() == BuiltIn.TOOL && type != null) {
                type.computeIfAbsent(List.of(), key -> new Mentions()).texts.add("tool");
            }
        });
        if (test instanceof Expr.Compare compare) {
            compared(judge, compare.left(), compare.right());
            compared(judge, compare.right(), compare.left());
        } else if (test instanceof Expr.In in) {
            in.values().forEach(literal -> literal(in.left(), literal.value()));
        } else if (test instanceof Expr.Matches matches) {
            samples(
                    matches.left(),
                    comparison.samples(
                            test, () -> Samples.regex(matches.regex().pattern().pattern())));
        } else if (test instanceof Expr.Contains contains) {
            Mentions list = of(contains.list());
            if (list != null) {
                list.asked = true;
                if (value(judge, contains.text()) instanceof String text) {
                    list.texts.add(text);
                }
            }
        } else if (test instanceof Expr.MemberOfList member) {
            entries(member.left(), member.list());
        } else if (test instanceof Expr.MemberOfAttribute member) {
            Mentions list = of(member.list());
            if (list != null) {
                list.asked = true;
                if (value(judge, member.left()) instanceof String text) {
                    list.texts.add(text);
                }
            }
        } else if (test instanceof Expr.Affix affix) {
            samples(affix.left(), Samples.affix(affix.text()));
        } else if (test instanceof Expr.InCidr cidr) {
            samples(new Operand.Field(cidr.address()), comparison.samples(test, () -> Samples.cidr(cidr.text())));
        } else if (test instanceof Expr.MatchesGlob glob) {
            samples(new Operand.Field(glob.attribute()), Samples.glob(glob.pattern()));
        }
    }

    private void compared(Judge judge, Operand one, Operand with) {
        Object value = value(judge, with);
        if (value != null) {
            literal(one, value);
        }
        if (one instanceof Operand.Count count && count.pattern() != null) {
            samples(new Operand.Field(count.list()), Samples.glob(count.pattern()));
        }
    }

    /** The value of a literal or parameter, {@code null} of anything else. */
    static @Nullable Object value(Judge judge, Operand operand) {
        if (operand instanceof Operand.Literal literal) {
            return literal.value();
        }
        return operand instanceof Operand.Parameter parameter ? judge.value(parameter.param()) : null;
    }

    private void literal(Operand operand, Object value) {
        Mentions found = of(operand);
        if (found == null) {
            return;
        }
        if (operand instanceof Operand.HoursSince && value instanceof Double hours) {
            if (Math.abs(hours) < MOST_HOURS) {
                long whole = (long) Math.floor(hours * 3_600);
                found.times.add(comparison.frame().now().minusSeconds(whole).minusNanos((long)
                        ((hours * 3_600 - whole) * 1e9)));
            }
        } else if (operand instanceof Operand.Count && value instanceof Double bound) {
            found.size(bound);
        } else if (value instanceof String text) {
            found.texts.add(text);
        } else if (value instanceof Double number) {
            found.numbers.add(number + 0.0);
        } else if (value instanceof Instant time) {
            found.times.add(time);
        }
    }

    private @Nullable Mentions of(Operand operand) {
        if (operand instanceof Operand.Field field) {
            return of(field.attribute());
        }
        if (operand instanceof Operand.HoursSince since) {
            return of(since.time());
        }
        return operand instanceof Operand.Count count ? of(count.list()) : null;
    }

    private void samples(Operand operand, List<String> texts) {
        Mentions found = of(operand);
        if (found != null) {
            found.samples.addAll(texts);
        }
    }

    private void entries(Operand left, NamedList list) {
        Mentions found = of(left);
        if (found == null) {
            return;
        }
        List<String> tried = comparison.entries(list);
        comparison.spend(tried.size());
        for (String entry : tried) {
            if (Glob.isPattern(entry)) {
                found.samples.addAll(Samples.glob(entry));
            } else {
                found.texts.add(entry);
            }
        }
    }

    /** The entries of a list that are tried: those that only one judge has, then others. */
    static List<String> entries(List<Judge> judges, NamedList list) {
        List<Set<String>> sides = judges.stream()
                .<Set<String>>map(judge -> judge.value(list) instanceof List<?> entries
                        ? new LinkedHashSet<>(
                                entries.stream().map(String::valueOf).toList())
                        : Set.of())
                .toList();
        var all = new LinkedHashSet<String>();
        sides.forEach(side -> side.stream()
                .filter(entry -> !sides.stream().allMatch(other -> other.contains(entry)))
                .forEach(all::add));
        sides.forEach(all::addAll);
        return all.stream().limit(MOST_ENTRIES).toList();
    }

    /** Whether it asks what a list holds. */
    private static boolean ofList(Expr.Test test) {
        return test instanceof Expr.Contains || test instanceof Expr.MemberOfAttribute;
    }

    /** A test that compares two values: each is tried with what the other is compared with. */
    private void share(Expr.Test test) {
        List<Mentions> fields = fields(test);
        for (Mentions one : fields) {
            for (Mentions other : fields) {
                if (one != other) {
                    one.share(other);
                }
            }
        }
        if (ofList(test)) {
            fields.forEach(found -> {
                if (found.types.contains(Type.LIST)) {
                    found.texts.add("other"); // what a text that no rule mentions is first tried as
                }
            });
        }
    }
}
