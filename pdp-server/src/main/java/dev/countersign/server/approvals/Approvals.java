package dev.countersign.server.approvals;

import dev.countersign.server.live.Changes;
import dev.countersign.server.signing.OwnTokens;
import io.vertx.core.Vertx;
import io.vertx.sqlclient.Pool;
import java.time.Duration;
import java.time.InstantSource;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * All that has to do with approvals, wired together.
 *
 * @param requests the access requests
 * @param approvals the approvals
 * @param submissions makes access requests
 * @param reviews what humans do with them
 * @param reassignments hands places on
 * @param emergencies approves alone
 * @param uses what approvals are used for
 * @param receipts what became of the runs
 * @param executions what the server runs itself
 * @param corrections what humans do with approvals that were given
 * @param stats how requests fare
 * @param sweeper notes what has run out of time
 */
public record Approvals(
        AccessRequestStore requests,
        ApprovalStore approvals,
        Submissions submissions,
        Reviews reviews,
        Reassignments reassignments,
        Emergencies emergencies,
        Uses uses,
        Receipts receipts,
        Executions executions,
        Corrections corrections,
        ApprovalStats stats,
        Sweeper sweeper) {
    /**
     * Those of the database behind {@code pool}.
     *
     * @param changes makes the transactions
     * @param ids makes ids that grow
     * @param unguessable makes ids that cannot be guessed
     * @param tokens signs and verifies
     * @param meters counts
     */
    public static Approvals of(
            Pool pool,
            Changes changes,
            Supplier<UUID> ids,
            Supplier<UUID> unguessable,
            OwnTokens tokens,
            ApprovalMeters meters,
            InstantSource clock) {
        var requests = new AccessRequestStore(pool);
        var approvals = new ApprovalStore(pool);
        var transitions = new Transitions(ids, unguessable, tokens, meters);
        var receipts = new Receipts(changes, transitions, clock);
        return new Approvals(
                requests,
                approvals,
                new Submissions(changes, ids, unguessable, meters, clock),
                new Reviews(pool, changes, transitions, clock),
                new Reassignments(pool, changes, transitions, clock),
                new Emergencies(pool, changes, transitions, clock),
                new Uses(requests, approvals, changes, transitions, tokens, clock),
                receipts,
                new Executions(pool, receipts),
                new Corrections(changes, transitions, clock),
                new ApprovalStats(pool, clock),
                new Sweeper(pool, transitions, clock));
    }

    /** Has {@code meters} show what waits, until {@code vertx} is closed. */
    public void watch(Vertx vertx, ApprovalMeters meters, Duration interval) {
        meters.watch(vertx, stats, interval);
    }
}
