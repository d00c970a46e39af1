package dev.countersign.server.separation;

import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Who asks for what, as far as it matters for who may review it.
 *
 * @param tenant the tenant in which all of it is
 * @param subjectType the type of the call's subject
 * @param subjectId its id
 * @param action the name of the action
 * @param submitter the person of the key that submits the request; {@code null} for a service's
 * @param claimed names that the request gives of whom the subject belongs to or acts for; they only ever exclude
 * @param excludedBefore the persons that were excluded when the request was made; empty while it is being made
 */
public record Asking(
        String tenant,
        String subjectType,
        String subjectId,
        String action,
        @Nullable UUID submitter,
        List<String> claimed,
        Set<UUID> excludedBefore) {
    /** A subject type of which each subject must have somebody who answers for it. */
    static final String AGENT = "agent";

    /** The same, with copies of the collections. */
    public Asking {
        claimed = List.copyOf(claimed);
        excludedBefore = Set.copyOf(excludedBefore);
    }
}
