package dev.countersign.server.http;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.api.CanonicalJson;
import dev.countersign.api.NotCanonicalException;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.Submissions;
import dev.countersign.server.decision.Actors;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.Dialect;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.identity.Caller;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Calls that are evaluated and, if rules want approval for them, asked for at once, as the seeds have it. */
final class Requesting {
    private final Judging judging;
    private final Deciding deciding;
    private final Submissions submissions;

    Requesting(Judging judging, Deciding deciding, Submissions submissions) {
        this.judging = judging;
        this.deciding = deciding;
        this.submissions = submissions;
    }

    /**
     * What came of it.
     *
     * @param decided the decision, which the log has
     * @param submitted what became of the request; {@code null} if rules ask nobody
     */
    record Asked(Decided decided, Submissions.@Nullable Submitted submitted) {}

    /**
     * Evaluates a call, and asks for approval if that is what rules want.
     *
     * @param decideBy until when the requester would wait at most
     */
    Future<Asked> ask(
            Vertx vertx,
            TenantPolicy policy,
            Caller caller,
            Call asked,
            Dialect dialect,
            AccessRequest.About about,
            List<String> claimed,
            @Nullable Instant decideBy) {
        return Waiting.here(vertx, judging.resolve(policy, caller, asked))
                .compose(call -> deciding.logged(vertx, policy, caller, call, dialect)
                        .compose(decided -> submit(policy, caller, call, decided, about, claimed, decideBy)));
    }

    private Future<Asked> submit(
            TenantPolicy policy,
            Caller caller,
            Call call,
            Decided decided,
            AccessRequest.About about,
            List<String> claimed,
            @Nullable Instant decideBy) {
        if (decided.verdict().outcome() != Outcome.REQUIRE_APPROVAL || decided.requestable() == null) {
            return Future.succeededFuture(new Asked(decided, null));
        }
        var item = new Submissions.Item(
                call, decided, UUID.fromString(decided.id()), Actors.of(call), about, claimed, decideBy);
        return submissions.submit(policy, caller, List.of(item)).map(submitted -> new Asked(decided, submitted));
    }

    /** Answers why nothing was asked. */
    static void refuse(RoutingContext ctx, Submissions.Submitted submitted) {
        if (submitted instanceof Submissions.Submitted.Hopeless hopeless) {
            Problems.send(ctx, 409, "nobody_could_approve", hopeless.why());
        } else {
            Problems.send(
                    ctx,
                    409,
                    "id_used_otherwise",
                    "this id was used for another request before: give this one its own");
        }
    }

    /** The digest by which the same submission is known again. */
    static String hash(JsonNode body) {
        try {
            return CanonicalJson.sha256(body);
        } catch (NotCanonicalException e) {
            // Numbers in it have no canonical form: then it is the same only as it was written.
            return Sha256.hex(body.toString());
        }
    }
}
