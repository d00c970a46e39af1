package dev.countersign.rules.pack;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a call that needs approval gets it: every stage in turn collects its quorum of reviews.
 *
 * @param name the name that {@code requireApproval} gives
 * @param stages at least one
 * @param decideWithin how long reviewers have, from the request
 * @param useWithin how long the approval can be used, once granted
 * @param breakGlass whether one person may approve alone in an emergency
 */
public record ApprovalTemplate(
        String name, List<Stage> stages, Duration decideWithin, Duration useWithin, boolean breakGlass) {
    /** One by which nobody approves alone. */
    public ApprovalTemplate(String name, List<Stage> stages, Duration decideWithin, Duration useWithin) {
        this(name, stages, decideWithin, useWithin, false);
    }

    /**
     * One round of reviews.
     *
     * @param name what it is called
     * @param quorum how many different persons must approve
     * @param roles what each of them must hold, all of it
     * @param escalate who may approve besides if it takes long; {@code null} for nobody
     */
    public record Stage(
            String name,
            int quorum,
            List<String> roles,
            @Nullable Escalation escalate) {
        /** A round that never escalates. */
        public Stage(String name, int quorum, List<String> roles) {
            this(name, quorum, roles, null);
        }

        /** The same round with another quorum. */
        public Stage with(int persons) {
            return new Stage(name, persons, roles, escalate);
        }
    }

    /**
     * Who else may fill the places of a stage that are open by then. The quorum stays.
     *
     * @param after how long after the request
     * @param to what each of them must hold, all of it
     */
    public record Escalation(Duration after, List<String> to) {}
}
