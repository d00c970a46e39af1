package dev.countersign.server.http;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.countersign.server.approvals.AccessRequest;
import dev.countersign.server.approvals.Reviews;
import dev.countersign.server.decision.Body;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.issuers.ReviewStatements;
import dev.countersign.server.issuers.ReviewStatements.Reading;
import dev.countersign.server.issuers.StatementRefusal;
import io.vertx.ext.web.RoutingContext;
import java.util.List;

/** {@code /api/v1/approvals/{id}/relay}: another system brings what an issuer has signed about who decided. */
final class RelayHandler {
    private final Callers callers;
    private final ReviewStatements statements;
    private final Reviews reviews;
    private final Reviewing reviewing;
    private final ApprovalView view;

    RelayHandler(
            Callers callers, ReviewStatements statements, Reviews reviews, Reviewing reviewing, ApprovalView view) {
        this.callers = callers;
        this.statements = statements;
        this.reviews = reviews;
        this.reviewing = reviewing;
        this.view = view;
    }

    /** {@code {statement}}. */
    void relay(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.APPROVALS_RELAY);
        Body body = caller == null ? null : Bodies.object(ctx);
        if (caller == null || body == null) {
            return;
        }
        try {
            new Members(body.json(), "statement");
            String statement = body.json().path("statement").textValue();
            if (statement == null) {
                throw new Members.Unfit("`statement` is a JWS in compact form");
            }
            reviewing.found(ctx, caller, request -> relay(ctx, caller, request, statement));
        } catch (Members.Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private void relay(RoutingContext ctx, Caller caller, AccessRequest request, String statement) {
        Reading reading = statements.read(statement, caller.inTenant());
        if (reading instanceof Reading.Said said) {
            String note = Texts.cut(said.statement().note(), Texts.NOTE);
            Waiting.change(ctx, reviews.relay(caller, request.id(), said.statement(), note), outcome -> {
                if (outcome instanceof Reviews.Outcome.Done done) {
                    Bodies.send(
                            ctx,
                            200,
                            JsonNodeFactory.instance
                                    .objectNode()
                                    .put("id", done.request().id().toString())
                                    .put("status", view.word(done.request(), List.of())));
                } else if (outcome instanceof Reviews.Outcome.Unstated unstated) {
                    refuse(ctx, unstated.why());
                } else {
                    reviewing.refused(outcome).send(ctx);
                }
            });
        } else {
            refuse(ctx, ((Reading.Not) reading).why());
        }
    }

    private static void refuse(RoutingContext ctx, StatementRefusal why) {
        boolean later = why == StatementRefusal.READING;
        Problems.send(
                ctx,
                later ? 503 : 403,
                "statement_refused",
                "the statement is refused: " + why.text(),
                problem -> problem.put("reason", why.word()));
    }
}
