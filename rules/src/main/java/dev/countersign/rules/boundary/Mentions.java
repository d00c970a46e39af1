package dev.countersign.rules.boundary;

import dev.countersign.rules.facts.Type;
import java.time.Instant;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.TreeSet;

/** What rules compare one attribute's value with, all rules together. */
final class Mentions {
    /** A list is tried with up to so many elements. */
    static final int MOST_ELEMENTS = 40;

    final Set<Type> types = EnumSet.noneOf(Type.class);
    final Set<String> texts = new LinkedHashSet<>();

    /** Texts around patterns, of which no rule names one. */
    final Set<String> samples = new LinkedHashSet<>();

    final Set<Double> numbers = new TreeSet<>();
    final Set<Instant> times = new TreeSet<>();
    final Set<Integer> sizes = new TreeSet<>();

    /** Whether a list would have to be longer than those that are tried. */
    boolean tooLong;

    /** Whether the list is also asked for texts that it holds, not only for how many. */
    boolean asked;

    /** All texts to try, those that rules name first. */
    Set<String> allTexts() {
        var out = new LinkedHashSet<>(texts);
        out.addAll(samples);
        return out;
    }

    /** Sizes around a bound. */
    void size(double bound) {
        for (int near = -1; near <= 1; near++) {
            double size = Math.floor(bound) + near;
            tooLong |= size > MOST_ELEMENTS;
            if (size >= 0 && size <= MOST_ELEMENTS) {
                sizes.add((int) size);
            }
        }
    }

    /** Takes over what the other's value is compared with, for a test that compares both. */
    void share(Mentions other) {
        if (other == this) {
            return;
        }
        texts.addAll(other.texts);
        samples.addAll(other.samples);
        numbers.addAll(other.numbers);
        times.addAll(other.times);
        sizes.addAll(other.sizes);
        tooLong |= other.tooLong;
        other.sizes.forEach(size -> numbers.add((double) size));
        other.numbers.forEach(this::size);
    }
}
