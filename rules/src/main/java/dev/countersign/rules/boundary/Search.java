package dev.countersign.rules.boundary;

import dev.countersign.rules.engine.Condition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Walks the requests of a space in which a core clause can hold. First the values of the core's spots; then, for the
 * clauses that these leave open, the combinations of what they can say. Clauses without a common spot are looked at apart,
 * and one deny that all judges share stands for all: whatever the others say, everyone denies.
 */
final class Search {
    /** Receives one request after the other. */
    interface Visitor {
        /**
         * A request.
         *
         * @param values its value numbers by spot
         * @param status what each clause says, the core first; unknown counts as false for a rule that then has no say
         */
        void visit(int[] values, byte[] status);
    }

    /** Says which requests are worth to be looked at, by what the core clauses say. */
    interface Filter {
        boolean wanted(byte[] core);
    }

    /** What the clauses of a part can say, with values that make them say so. */
    private record Saying(Map<Integer, Integer> values, Map<Integer, Integer> status, boolean denies) {}

    private static final int MOST_OF_A_PART = 20_000;
    private static final String TOO_MANY = "there are more boundary requests than could be tried; the rest is sampled";
    private static final long SEED = 20_260_302;

    private final Space space;
    private final List<Formula> core;
    private final List<Formula> rest;
    private final Filter filter;
    private final Visitor visitor;
    private final int most;
    private final long mostSteps;
    private final Random random;
    private final Map<String, List<Saying>> known = new HashMap<>();
    private final Set<String> cut = new LinkedHashSet<>();
    private final Set<String> sampled = new LinkedHashSet<>();
    private int visited;
    private long steps;

    /**
     * A walk.
     *
     * @param most the most requests
     * @param mostSteps about how often a clause may be evaluated
     */
    Search(
            Space space,
            List<Formula> core,
            List<Formula> rest,
            Filter filter,
            Visitor visitor,
            int most,
            long mostSteps) {
        this.space = space;
        this.core = core;
        this.rest = rest;
        this.filter = filter;
        this.visitor = visitor;
        this.most = most;
        this.mostSteps = mostSteps;
        this.random = new Random(SEED);
    }

    /** Walks, and returns why some requests were left out for want of work; nothing if none were. */
    Set<String> run() {
        int[] order = order();
        if (!walk(order, 0, space.blank(), most / 2)) {
            cut.add(TOO_MANY);
            for (int i = 0; i < most / 8 && visited < most && steps < mostSteps; i++) {
                int[] values = space.blank();
                for (int place : order) {
                    values[place] = random.nextInt(space.size(place));
                }
                settled(values);
            }
        }
        return cut;
    }

    /** Why some requests were left out though there was work left, and only as many as are enough were drawn. */
    Set<String> sampled() {
        return sampled;
    }

    int visited() {
        return visited;
    }

    long steps() {
        return steps;
    }

    /** The core's spots; those that settle most for the least values come first. */
    private int[] order() {
        var readers = new LinkedHashMap<Integer, Integer>();
        core.forEach(formula -> formula.places().forEach(place -> readers.merge(place, 1, Integer::sum)));
        var out = new ArrayList<>(readers.keySet());
        out.sort(java.util.Comparator.<Integer>comparingInt(place -> -readers.getOrDefault(place, 0))
                .thenComparingInt(space::size)
                .thenComparingInt(place -> place));
        return out.stream().mapToInt(Integer::intValue).toArray();
    }

    private boolean walk(int[] order, int depth, int[] values, int budget) {
        if (visited >= budget || steps >= mostSteps / 2) {
            return false;
        }
        boolean alive = false;
        for (Formula formula : core) {
            steps++;
            alive |= formula.status(values) != Condition.FALSE;
        }
        if (!alive) {
            return true;
        }
        if (depth == order.length) {
            settled(values);
            return true;
        }
        int place = order[depth];
        boolean all = true;
        for (int value = 0; value < space.size(place) && all; value++) {
            values[place] = value;
            all = walk(order, depth + 1, values, budget);
        }
        values[place] = Space.OPEN;
        return all;
    }

    /** All spots of the core have a value: finds what the other clauses can say beside it. */
    private void settled(int[] values) {
        byte[] status = new byte[core.size() + rest.size()];
        for (int i = 0; i < core.size(); i++) {
            status[i] = (byte) core.get(i).status(values);
        }
        if (!filter.wanted(Arrays.copyOf(status, core.size()))) {
            return;
        }
        var open = new ArrayList<Integer>();
        boolean denied = false;
        for (int i = 0; i < rest.size(); i++) {
            Formula formula = rest.get(i);
            int said = formula.status(values);
            steps++;
            if (said == Formula.OPEN) {
                open.add(i);
            } else {
                status[core.size() + i] = (byte) formula.clause().coarse(said);
                denied |= formula.clause().denies(said);
            }
        }
        if (denied) {
            sealed(values.clone(), status);
        } else {
            combine(
                    values,
                    status,
                    parts(open, values).stream()
                            .map(part -> sayings(part, values))
                            .toList());
        }
    }

    /** The open clauses, those together that share a spot without a value. */
    private List<List<Integer>> parts(List<Integer> open, int[] values) {
        var parts = new ArrayList<List<Integer>>();
        var places = new ArrayList<Set<Integer>>();
        for (int clause : open) {
            var own = new HashSet<Integer>();
            for (int place : rest.get(clause).places()) {
                if (values[place] == Space.OPEN) {
                    own.add(place);
                }
            }
            var together = new ArrayList<Integer>();
            for (int i = parts.size() - 1; i >= 0; i--) {
                if (places.get(i).stream().anyMatch(own::contains)) {
                    own.addAll(places.remove(i));
                    together.addAll(parts.remove(i));
                }
            }
            together.add(clause);
            together.sort(null);
            parts.add(together);
            places.add(own);
        }
        return parts;
    }

    /** Everything different that the clauses of a part can say. */
    private List<Saying> sayings(List<Integer> part, int[] values) {
        var key = new StringBuilder();
        var places = new java.util.TreeSet<Integer>();
        for (int clause : part) {
            key.append(clause).append(':');
            for (int place : rest.get(clause).places()) {
                if (values[place] == Space.OPEN) {
                    places.add(place);
                } else {
                    key.append(place).append('=').append(values[place]).append(' ');
                }
            }
        }
        List<Saying> found = known.get(key.toString());
        if (found == null) {
            found = say(part, places.stream().mapToInt(Integer::intValue).toArray(), values.clone());
            known.put(key.toString(), found);
        }
        return found;
    }

    private List<Saying> say(List<Integer> part, int[] places, int[] values) {
        double size = 1;
        for (int place : places) {
            size *= space.size(place);
        }
        boolean all = size <= MOST_OF_A_PART && steps + size * part.size() < mostSteps;
        int tries = (int) (all ? size : Math.min(MOST_OF_A_PART, Math.max(200, (mostSteps - steps) / part.size())));
        if (!all && tries < MOST_OF_A_PART) {
            cut.add(TOO_MANY);
        } else if (!all) {
            sampled.add("some rules have more than " + MOST_OF_A_PART + " combinations of values; those are sampled");
        }
        var out = new LinkedHashMap<String, Saying>();
        for (int i = 0; i < tries; i++) {
            int number = i;
            for (int at = places.length - 1; at >= 0; at--) {
                int of = space.size(places[at]);
                values[places[at]] = all ? number % of : random.nextInt(of);
                number /= of;
            }
            byte[] status = new byte[part.size()];
            boolean denies = false;
            for (int k = 0; k < status.length; k++) {
                Formula formula = rest.get(part.get(k));
                int said = formula.status(values);
                status[k] = (byte) formula.clause().coarse(said);
                denies |= formula.clause().denies(said);
            }
            steps += status.length;
            String text = new String(status, java.nio.charset.StandardCharsets.ISO_8859_1);
            if (!out.containsKey(text)) {
                var own = new HashMap<Integer, Integer>();
                for (int place : places) {
                    own.put(place, values[place]);
                }
                var said = new HashMap<Integer, Integer>();
                for (int k = 0; k < status.length; k++) {
                    said.put(core.size() + part.get(k), (int) status[k]);
                }
                out.put(text, new Saying(own, said, denies));
            }
        }
        return List.copyOf(out.values());
    }

    /** Everyone denies whatever the open clauses say, so one request tells it all. */
    private void sealed(int[] values, byte[] status) {
        for (int i = 0; i < rest.size(); i++) {
            rest.get(i).places().forEach(place -> values[place] = Math.max(0, values[place]));
            Formula formula = rest.get(i);
            status[core.size() + i] = (byte) formula.clause().coarse(formula.status(values));
        }
        visit(values, status, List.of());
    }

    private void combine(int[] values, byte[] status, List<List<Saying>> parts) {
        var open = new ArrayList<List<Saying>>();
        var first = new ArrayList<Saying>();
        boolean sealed = false;
        double size = 1;
        for (List<Saying> part : parts) {
            List<Saying> some = part.stream().filter(saying -> !saying.denies()).toList();
            open.add(some);
            first.add(some.isEmpty() ? part.get(0) : some.get(0));
            sealed |= some.isEmpty();
            size *= Math.max(1, some.size());
        }
        if (sealed) {
            visit(values, status, first);
            return;
        }
        boolean all = size <= most - visited;
        if (!all) {
            cut.add(TOO_MANY);
        }
        int tries = (int) (all ? size : Math.max(1, (most - visited) / 4));
        for (int i = 0; i < tries; i++) {
            int number = i;
            var chosen = new ArrayList<Saying>();
            for (List<Saying> part : open) {
                chosen.add(part.get(all ? number % part.size() : random.nextInt(part.size())));
                number /= part.size();
            }
            visit(values, status, chosen);
        }
        for (int i = 0; i < parts.size(); i++) {
            var chosen = new ArrayList<>(first);
            int at = i;
            parts.get(i).stream().filter(Saying::denies).findFirst().ifPresent(saying -> {
                chosen.set(at, saying);
                visit(values, status, chosen);
            });
        }
    }

    private void visit(int[] values, byte[] status, List<Saying> sayings) {
        int[] all = values.clone();
        byte[] said = status.clone();
        for (Saying saying : sayings) {
            saying.values().forEach((place, value) -> all[place] = value);
            saying.status().forEach((clause, what) -> said[clause] = what.byteValue());
        }
        visited++;
        visitor.visit(all, said);
    }
}
