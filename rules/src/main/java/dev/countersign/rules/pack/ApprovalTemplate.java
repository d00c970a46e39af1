package dev.countersign.rules.pack;

import java.time.Duration;
import java.util.List;

/**
 * How a call that needs approval gets it: every stage in turn collects its quorum of reviews.
 *
 * @param name the name that {@code requireApproval} gives
 * @param stages at least one
 * @param decideWithin how long reviewers have, from the request
 * @param useWithin how long the approval can be used, once granted
 */
public record ApprovalTemplate(String name, List<Stage> stages, Duration decideWithin, Duration useWithin) {
    /**
     * One round of reviews.
     *
     * @param name what it is called
     * @param quorum how many different persons must approve
     * @param roles what each of them must hold, all of it
     */
    public record Stage(String name, int quorum, List<String> roles) {}
}
