package dev.countersign.server.decision;

import dev.countersign.rules.pack.ApprovalTemplate;
import java.time.Duration;
import java.util.List;

/**
 * What it takes to approve a call: all that the templates ask for that its findings name.
 *
 * @param findings what is approved
 * @param stages the rounds of reviews, one after the other
 * @param decideWithin how long reviewers have, from the request
 * @param useWithin how long the approval can be used, once granted
 * @param breakGlass whether all of them let one person approve alone in an emergency
 */
public record Terms(
        List<Asked> findings,
        List<ApprovalTemplate.Stage> stages,
        Duration decideWithin,
        Duration useWithin,
        boolean breakGlass) {
    /** The names of the templates, as {@code pack/name}. */
    public String templates() {
        return String.join(
                " ",
                findings.stream()
                        .map(asked -> asked.pack() + "/" + asked.template())
                        .distinct()
                        .toList());
    }
}
