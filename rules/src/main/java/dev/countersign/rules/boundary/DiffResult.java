package dev.countersign.rules.boundary;

import dev.countersign.rules.facts.Worded;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the boundary requests of two judges show.
 *
 * @param changes the ways in which verdicts differ: what widens first, then by kind
 * @param widening whether the judge after lets more happen
 * @param exact whether the requests stand for all requests, so that what no change shows does not happen; reasons are
 *     only ever sampled
 * @param cut whether a bound was reached before all was looked at that could be: then, other than where patterns are only
 *     sampled, much may have been passed over
 * @param whyNotExact why they do not, in one sentence; {@code null} if they do
 * @param tried how many requests were judged
 */
public record DiffResult(
        List<Change> changes,
        Widening widening,
        boolean exact,
        boolean cut,
        @Nullable String whyNotExact,
        int tried) {
    /** The same result, of which it is known by other means that nothing more may happen. */
    DiffResult notWidening() {
        return new DiffResult(changes, Widening.NO, exact, cut, whyNotExact, tried);
    }

    /** Whether more may happen than before. */
    public enum Widening implements Worded {
        /** No: by the kind of change, or because the exact requests show none. */
        NO,
        /** Could widen (sampled): no request showed it, but they do not stand for all, and the kind of change may. */
        COULD,
        /** Yes: there is an example. */
        YES
    }
}
