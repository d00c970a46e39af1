package dev.countersign.rules.boundary;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Expr;
import dev.countersign.rules.engine.Condition;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Request;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The boundary requests of some clauses: for each spot that they read, the values to try. Values that no test can tell
 * apart stand for each other, and values with which no core clause can hold are left out. A request is an array of value
 * numbers by spot; {@link #OPEN} is a spot that has none yet.
 */
final class Space {
    /** A spot without a value. */
    static final int OPEN = -1;

    /** The most values of one spot. */
    static final int MOST_VALUES = 256;

    /** About how often tests are asked to find the values of one spot that none of them can tell apart. */
    private static final long MOST_RESULTS = 1_000_000;

    private final Comparison comparison;
    private final Frame frame;
    private final Survey survey;
    private final List<Spot> spots;
    private final Map<Spot, Integer> numbers = new HashMap<>();
    private final List<List<@Nullable Object>> values = new ArrayList<>();
    private final List<List<@Nullable Request[]>> singles = new ArrayList<>();
    private final Map<String, Table> tables = new LinkedHashMap<>();

    /**
     * The space of these clauses.
     *
     * @param core the clauses of which one must be able to hold
     * @param rest others that have a say in the same requests
     * @param narrow whether only the core's spots are wanted
     */
    Space(Comparison comparison, List<Clause> core, List<Clause> rest, boolean narrow) {
        this.comparison = comparison;
        this.frame = comparison.frame();
        var all = new ArrayList<>(core);
        all.addAll(rest);
        this.survey = new Survey(comparison, all, narrow ? core : null);
        this.spots = survey.spots();
        for (Spot spot : spots) {
            numbers.put(spot, numbers.size());
            List<@Nullable Object> tried = tried(spot);
            values.add(tried);
            singles.add(requests(tried.size()));
        }
        for (int place = 0; place < spots.size(); place++) {
            keep(place, live(place, core));
        }
        if (!narrow) {
            var single = new ArrayList<List<Formula.Node>>();
            spots.forEach(spot -> single.add(new ArrayList<>()));
            Set<Integer> apart = new HashSet<>();
            all.forEach(clause -> Survey.tests(clause, test -> classify(clause, test, single, apart)));
            for (int place = 0; place < spots.size(); place++) {
                if (!apart.contains(place)) {
                    long results = Math.min(MOST_RESULTS, comparison.left());
                    cap(place, (int) Math.max(
                            MOST_VALUES, results / (1 + single.get(place).size())));
                    keep(place, distinct(place, single.get(place)));
                }
            }
        }
        for (int place = 0; place < spots.size() && !narrow; place++) {
            cap(place, MOST_VALUES);
        }
        tables.clear();
    }

    private List<@Nullable Object> tried(Spot spot) {
        if (spot.equals(Spot.NOW)) {
            var times = new java.util.TreeSet<Instant>();
            survey.at(spot).values().forEach(mentions -> times.addAll(mentions.times));
            var out = new ArrayList<@Nullable Object>();
            out.add(frame.now());
            out.addAll(Candidates.times(times, frame.now()));
            return out;
        }
        var out = new ArrayList<@Nullable Object>();
        for (JsonNode value : Candidates.of(survey.at(spot), spot.required())) {
            if (comparison.single(0, spot, value) != null) { // one that is no call is refused before any rule
                out.add(value);
            }
        }
        return out;
    }

    private List<@Nullable Request[]> requests(int size) {
        var out = new ArrayList<@Nullable Request[]>();
        comparison.judges().forEach(judge -> out.add(new Request[size]));
        return out;
    }

    /** The values of a spot with which some core clause can still hold. */
    private int[] live(int place, List<Clause> core) {
        boolean[] live = new boolean[values.get(place).size()];
        for (Clause clause : core) {
            List<Condition> own = own(place, clause);
            comparison.spend((long) live.length * own.size());
            for (int value = 0; value < live.length; value++) {
                live[value] |= holds(own, clause.side(), place, value);
            }
        }
        return java.util.stream.IntStream.range(0, live.length)
                .filter(value -> live[value])
                .toArray();
    }

    private boolean holds(List<Condition> conditions, int side, int place, int value) {
        for (Condition condition : conditions) {
            if (condition.test(single(side, place, value)) == Condition.FALSE) {
                return false;
            }
        }
        return true;
    }

    /** The conditions of a clause that this spot alone decides. */
    private List<Condition> own(int place, Clause clause) {
        var out = new ArrayList<Condition>();
        for (Expr expr : clause.conditions()) {
            var read = new HashSet<Spot>();
            expr.tests(test -> read.addAll(survey.spots(test)));
            if (read.size() == 1 && read.contains(spots.get(place))) {
                out.add(comparison.condition(clause.side(), expr));
            }
        }
        return out;
    }

    /** Whether a clause can hold in some request of this space, as far as one spot at a time and the work left can tell. */
    boolean possible(Clause clause) {
        for (Expr expr : clause.conditions()) {
            var read = new HashSet<Spot>();
            expr.tests(test -> read.addAll(survey.spots(test)));
            if (read.size() > 1
                    || read.size() == 1 && !numbers.containsKey(read.iterator().next())) {
                continue;
            }
            Condition condition = comparison.condition(clause.side(), expr);
            boolean holds = false;
            if (read.isEmpty()) {
                holds = condition.test(request(clause.side(), blank())) != Condition.FALSE;
            } else {
                int place = number(read.iterator().next());
                for (int value = 0; value < values.get(place).size() && !holds; value++) {
                    if (comparison.left() <= 0) {
                        return true;
                    }
                    comparison.spend(1);
                    holds = condition.test(single(clause.side(), place, value)) != Condition.FALSE;
                }
            }
            if (!holds) {
                return false;
            }
        }
        return true;
    }

    /** Sorts a test to the one spot that it reads; spots that are compared with each other keep all their values. */
    private void classify(Clause clause, Expr.Test test, List<List<Formula.Node>> single, Set<Integer> apart) {
        int[] places = places(test);
        if (places.length == 1) {
            single.get(places[0]).add(table(clause, test));
        } else if (places.length == 2 && readsTool(test)) {
            Condition condition = comparison.condition(clause.side(), test);
            int id = number(Spot.RESOURCE_ID);
            single.get(id).add(assignment -> condition.test(single(clause.side(), id, assignment[id])));
            single.get(number(Spot.RESOURCE_TYPE)).add(assignment -> isTool(assignment) ? 1 : 0);
        } else {
            for (int place : places) {
                apart.add(place);
            }
        }
    }

    int number(Spot spot) {
        return Objects.requireNonNull(numbers.get(spot), "a spot that is read");
    }

    boolean isTool(int[] assignment) {
        int type = number(Spot.RESOURCE_TYPE);
        return values.get(type).get(assignment[type]) instanceof JsonNode node
                && node.asText().equals("tool");
    }

    static boolean readsTool(Expr.Test test) {
        var read = new ArrayList<Attribute>();
        test.attributes(read::add);
        return read.size() == 1 && read.get(0).builtIn() == BuiltIn.TOOL;
    }

    /** The first of all values that every test judges alike. */
    private int[] distinct(int place, List<Formula.Node> tests) {
        var seen = new HashSet<String>();
        var out = new ArrayList<Integer>();
        int[] assignment = blank();
        comparison.spend((long) values.get(place).size() * tests.size());
        for (int value = 0; value < values.get(place).size(); value++) {
            assignment[place] = value;
            var results = new StringBuilder(tests.size());
            tests.forEach(test -> results.append((char) ('0' + test.at(assignment))));
            if (seen.add(results.toString())) {
                out.add(value);
            }
        }
        return out.stream().mapToInt(Integer::intValue).toArray();
    }

    private void keep(int place, int[] kept) {
        List<@Nullable Object> all = values.get(place);
        if (kept.length == all.size()) {
            return;
        }
        var some = new ArrayList<@Nullable Object>();
        Arrays.stream(kept).forEach(value -> some.add(all.get(value)));
        values.set(place, some);
        singles.set(place, requests(some.size()));
        tables.clear();
    }

    private void cap(int place, int most) {
        if (size(place) > most) {
            comparison.cut("rules name more than " + most + " values of " + name(spots.get(place)));
            keep(place, java.util.stream.IntStream.range(0, most).toArray());
        }
    }

    private int[] places(Expr.Test test) {
        return survey.spots(test).stream()
                .map(spot -> numbers.getOrDefault(spot, OPEN))
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
    }

    private Formula.Node table(Clause clause, Expr.Test test) {
        int[] places = places(test);
        return tables.computeIfAbsent(
                clause.side() + clause.pack() + ": " + comparison.text(test),
                key -> new Table(
                        this,
                        clause.side(),
                        places,
                        places.length == 2 && readsTool(test),
                        comparison.condition(clause.side(), test)));
    }

    /** A clause of this space, over its values. */
    Formula formula(Clause clause) {
        var nodes = new ArrayList<Formula.Node>();
        var read = new java.util.TreeSet<Integer>();
        for (Expr expr : clause.conditions()) {
            expr.tests(test -> Arrays.stream(places(test)).forEach(read::add));
            nodes.add(Formula.node(expr, test -> table(clause, test)));
        }
        return new Formula(clause, List.copyOf(nodes), List.copyOf(read));
    }

    Survey survey() {
        return survey;
    }

    List<Spot> spots() {
        return spots;
    }

    /** How many values a spot has. */
    int size(int place) {
        return values.get(place).size();
    }

    /** A request in which no spot has a value. */
    int[] blank() {
        int[] out = new int[spots.size()];
        Arrays.fill(out, OPEN);
        return out;
    }

    Request single(int side, int place, int value) {
        @Nullable Request[] made = singles.get(place).get(side);
        Request found = made[value];
        if (found == null) {
            found = Objects.requireNonNull(
                    comparison.single(side, spots.get(place), values.get(place).get(value)), "a value of a call");
            made[value] = found;
        }
        return found;
    }

    /** The request as the judge of a side sees it. */
    Request request(int side, int[] assignment) {
        comparison.spend(Comparison.WORK_A_REQUEST);
        try {
            return new Request(
                    frame.tenant(),
                    Bodies.call(spots, body(assignment)),
                    now(assignment),
                    comparison.judge(side).values());
        } catch (BadCall e) {
            throw new IllegalStateException("each value alone makes a call, so all together do", e);
        }
    }

    /** What a test says of a text that stands at a spot of a tool call, alone; {@link #OPEN} if none can stand there. */
    int alone(Clause clause, Expr.Test test, Spot spot, JsonNode text) {
        comparison.spend(1);
        Request request = comparison.single(clause.side(), spot, text);
        return request == null
                ? OPEN
                : comparison.condition(clause.side(), test).test(request);
    }

    /** When the request is made. */
    Instant now(int[] assignment) {
        Integer place = numbers.get(Spot.NOW);
        return place != null
                        && assignment[place] != OPEN
                        && values.get(place).get(assignment[place]) instanceof Instant instant
                ? instant
                : frame.now();
    }

    /** The body of the request; spots without a value are left as they are in any request. */
    ObjectNode body(int[] assignment) {
        var some = new ArrayList<@Nullable Object>();
        for (int place = 0; place < spots.size(); place++) {
            some.add(assignment[place] == OPEN ? null : values.get(place).get(assignment[place]));
        }
        return Bodies.of(spots, some);
    }

    static String name(Spot spot) {
        return spot.root() == null
                ? "the clock"
                : "`" + spot.root().name().toLowerCase(java.util.Locale.ROOT) + "." + String.join(".", spot.steps())
                        + "`";
    }
}
