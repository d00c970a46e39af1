package dev.countersign.server.separation;

import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A moment in the life of a request: which of its stages have escalated by then, and which still can.
 *
 * @param made when the request was made
 * @param decideBy until when it can be decided, that moment not included
 * @param now for when keys and delegations must be in force
 */
public record Moment(Instant made, Instant decideBy, Instant now) {
    /** When a stage escalates; {@code null} if it never does, or not before the request expires. */
    public @Nullable Instant escalates(Stage stage) {
        if (stage.escalate() == null) {
            return null;
        }
        Instant at = made.plus(stage.escalate().after());
        return at.isBefore(decideBy) ? at : null;
    }

    /** Whether a stage has escalated. */
    public boolean escalated(Stage stage) {
        Instant at = escalates(stage);
        return at != null && !now.isBefore(at);
    }

    /** When everything has escalated that can. */
    Moment last() {
        return new Moment(made, decideBy, decideBy);
    }
}
