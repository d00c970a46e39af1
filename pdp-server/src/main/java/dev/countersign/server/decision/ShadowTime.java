package dev.countersign.server.decision;

import java.time.InstantSource;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * The time that the shadows of one loop take from its decisions: a fifth of all time at most, and of one turn little, so that
 * no tenant's shadows slow down everybody. What does not fit is dropped, and its observers are told. Confined to its loop's
 * thread.
 */
final class ShadowTime {
    /** No comparison begins later in a turn, in milliseconds. */
    static final long TURN = 10;
    /** Of all time they take one part in so many. */
    static final long PART = 5;
    /** The most time that they may take before it has passed, as after a pause, in milliseconds. */
    static final long SAVED = 1_000;

    /** What a shadow does after a decision. */
    record Comparison(Shadow shadow, Runnable judge) {}

    private final InstantSource clock;
    private final RandomGenerator random;
    /** What they may take, {@link #PART} times. Less than nothing after a comparison that took longer. */
    private long left = PART * SAVED;

    private long ended;

    ShadowTime(InstantSource clock, RandomGenerator random) {
        this.clock = clock;
        this.random = random;
        this.ended = clock.millis();
    }

    /**
     * Has shadows judge as long as there is time. It begins anywhere, so that the shadows that come first do not take it all
     * from the others, turn after turn.
     */
    void spend(List<Comparison> comparisons) {
        if (comparisons.isEmpty()) {
            return;
        }
        int first = random.nextInt(comparisons.size());
        long begun = clock.millis();
        left = Math.min(PART * SAVED, left + passed(ended, begun));
        for (int i = 0; i < comparisons.size(); i++) {
            Comparison comparison = comparisons.get((first + i) % comparisons.size());
            long taken = passed(begun, clock.millis());
            if (taken >= TURN || PART * taken >= left) {
                comparison.shadow().observer().dropped();
            } else {
                comparison.judge().run();
            }
        }
        ended = clock.millis();
        // A machine that stood still for an hour must not keep shadows from judging for five.
        left = Math.max(-PART * SAVED, left - PART * passed(begun, ended));
    }

    /** A clock that was put back tells nothing. */
    private static long passed(long from, long to) {
        return Math.max(0, to - from);
    }
}
