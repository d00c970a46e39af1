package dev.countersign.server.separation;

import java.util.Arrays;
import java.util.List;

/** Kuhn's bipartite matching: whether every place can be filled by somebody else. */
final class Matching {
    private final List<int[]> candidates;
    private final int[] placeOf;

    private Matching(List<int[]> candidates, int persons) {
        this.candidates = candidates;
        this.placeOf = new int[persons];
        Arrays.fill(placeOf, -1);
    }

    /**
     * Whether there is a different person for each place.
     *
     * @param candidates for each place, who could fill it, from 0 to {@code persons} - 1
     */
    static boolean fills(List<int[]> candidates, int persons) {
        var matching = new Matching(candidates, persons);
        for (int place = 0; place < candidates.size(); place++) {
            if (!matching.fill(place, new boolean[persons])) {
                return false;
            }
        }
        return true;
    }

    private boolean fill(int place, boolean[] tried) {
        for (int person : candidates.get(place)) {
            if (!tried[person]) {
                tried[person] = true;
                if (placeOf[person] < 0 || fill(placeOf[person], tried)) {
                    placeOf[person] = place;
                    return true;
                }
            }
        }
        return false;
    }
}
