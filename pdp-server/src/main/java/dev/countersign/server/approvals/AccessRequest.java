package dev.countersign.server.approvals;

import dev.countersign.rules.facts.Worded;
import dev.countersign.rules.pack.ApprovalTemplate.Stage;
import dev.countersign.server.approvals.AccessRequestLifecycle.Status;
import dev.countersign.server.decision.Asked;
import dev.countersign.server.separation.Moment;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A call that somebody wants approved.
 *
 * @param tenant whose it is
 * @param id its id, which cannot be guessed
 * @param task what it was submitted as: its own id, or that of a bundle
 * @param position its place in the bundle
 * @param evaluation the decision that denied the call
 * @param requester who asks
 * @param wanted what the call is
 * @param about what the requester says beside it
 * @param findings what rules ask approval for
 * @param stages the rounds of reviews
 * @param stage the round at hand
 * @param excluded the persons on the requester's side when it was made
 * @param claimed whom the requester names on its own side
 * @param createdAt when it was made
 * @param decideBy until when it can be decided
 * @param useWithin how long its approval can be used
 * @param breakGlass whether one person may approve it alone in an emergency, or has
 * @param end what became of it; {@code null} while nothing has
 * @param status the state
 */
public record AccessRequest(
        String tenant,
        UUID id,
        UUID task,
        int position,
        UUID evaluation,
        Requester requester,
        Wanted wanted,
        About about,
        List<Asked> findings,
        List<Stage> stages,
        int stage,
        Set<UUID> excluded,
        List<String> claimed,
        Instant createdAt,
        Instant decideBy,
        Duration useWithin,
        BreakGlass breakGlass,
        Status status,
        @Nullable End end) {
    /** Whether one person approves alone. */
    public enum BreakGlass implements Worded {
        /** Nobody may. */
        NO,
        /** Somebody may in an emergency, and nobody has. */
        ALLOWED,
        /** Somebody has. */
        USED
    }

    /**
     * Who asks, as the key proved it.
     *
     * @param principal the person or the service, see {@link dev.countersign.server.identity.Caller#principal}
     * @param key the visible prefix of the key
     * @param person the person; {@code null} for a service
     */
    public record Requester(
            String principal, String key, @Nullable UUID person) {}

    /**
     * The call.
     *
     * @param subjectType the kind of subject
     * @param subjectId who acts
     * @param action what they want to do
     * @param resourceType the kind of resource
     * @param resourceId what it is done to
     * @param call the whole as JSON, credentials in it replaced by their digests
     * @param whole whether nothing was replaced
     * @param digest the SHA-256 of what is bound
     * @param boundContext the members of the context that are bound
     * @param advisory the arguments that are not
     * @param reason the reason code
     * @param risk the risk
     */
    public record Wanted(
            String subjectType,
            String subjectId,
            String action,
            String resourceType,
            String resourceId,
            String call,
            boolean whole,
            String digest,
            List<String> boundContext,
            List<String> advisory,
            String reason,
            String risk) {}

    /**
     * What the requester says beside the call. None of it decides anything.
     *
     * @param clientId what the requester calls the request
     * @param idempotencyKey the {@code Idempotency-Key} of the submission
     * @param submission the SHA-256 of the submission
     * @param description for reviewers
     * @param requestedBy who asks, as claimed
     * @param runId the run
     * @param sessionId the session
     * @param projectId the project
     * @param agentName the agent
     * @param confidence how sure the planner is
     * @param requestedUntil until when the approval is wanted, at the longest
     */
    public record About(
            @Nullable String clientId,
            @Nullable String idempotencyKey,
            String submission,
            @Nullable String description,
            @Nullable String requestedBy,
            @Nullable String runId,
            @Nullable String sessionId,
            @Nullable String projectId,
            @Nullable String agentName,
            @Nullable Double confidence,
            @Nullable Instant requestedUntil) {}

    /**
     * What became of it.
     *
     * @param at when
     * @param key the visible prefix of the key by which; {@code null} of what became of itself
     * @param person the person; {@code null} for a service or nobody
     * @param note why, in their words
     */
    public record End(
            Instant at,
            @Nullable String key,
            @Nullable UUID person,
            @Nullable String note) {}

    /** The same with these rounds of reviews and these persons on the requester's side. */
    AccessRequest with(List<Stage> rounds, Set<UUID> side, boolean twoNeeded) {
        return new AccessRequest(
                tenant,
                id,
                task,
                position,
                evaluation,
                requester,
                wanted,
                about,
                findings,
                rounds,
                stage,
                side,
                claimed,
                createdAt,
                decideBy,
                useWithin,
                twoNeeded ? BreakGlass.NO : breakGlass,
                status,
                end);
    }

    /** A moment of it: what of it has escalated by {@code now}. */
    public Moment moment(Instant now) {
        return new Moment(createdAt, decideBy, now);
    }

    /** When the round at hand escalates, or has; {@code null} if it does not before the request expires. */
    public @Nullable Instant escalatesAt() {
        return escalatesAt(stage);
    }

    /** When that round escalates, from 0. */
    @Nullable
    Instant escalatesAt(int round) {
        return moment(createdAt).escalates(stages.get(round));
    }

    /** Whether the reviews can come no more, though nobody has noted that yet. */
    public boolean late(Instant now) {
        return status == Status.PENDING && !now.isBefore(decideBy);
    }
}
