package dev.countersign.server.http;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Worded;
import dev.countersign.server.decision.Body;
import dev.countersign.server.history.Past;
import dev.countersign.server.http.Members.Unfit;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.policy.Author;
import dev.countersign.server.policy.Decision;
import dev.countersign.server.policy.PolicyChanges;
import dev.countersign.server.policy.Proposal;
import dev.countersign.server.policy.ProposalStore;
import io.vertx.core.Future;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** {@code /api/v1/proposals}: changes that another person has to confirm before they are made. */
final class ProposalsHandler {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String PATH = "/api/v1/proposals/";

    private final Callers callers;
    private final PolicyChanges changes;

    ProposalsHandler(Callers callers, PolicyChanges changes) {
        this.callers = callers;
        this.changes = changes;
    }

    /** Oldest first; {@code state}, {@code limit}, {@code after} (an id). */
    void list(RoutingContext ctx) {
        Caller caller = reader(ctx);
        if (caller == null) {
            return;
        }
        try {
            Proposal.State state = state(Parameters.text(ctx, "state"));
            UUID from = Parameters.uuid(Parameters.text(ctx, "after"));
            Pages.send(
                    ctx,
                    "proposals",
                    (after, limit) -> changes.proposals().list(caller.tenant(), state, from, limit),
                    ProposalsHandler::view);
        } catch (BadCall e) {
            Bodies.bad(ctx, e);
        }
    }

    private static Proposal.@Nullable State state(@Nullable String word) throws BadCall {
        Proposal.State state = Worded.of(Proposal.State.class, word);
        if (word != null && state == null) {
            throw new BadCall("`state` is one of "
                    + Stream.of(Proposal.State.values())
                            .map(Proposal.State::word)
                            .collect(Collectors.joining(", ")));
        }
        return state;
    }

    void get(RoutingContext ctx) {
        Caller caller = reader(ctx);
        UUID id = caller == null ? null : id(ctx);
        if (caller != null && id != null) {
            Waiting.read(ctx, changes.proposals().find(caller.tenant(), id), found -> {
                if (found == null) {
                    unknown(ctx);
                } else {
                    send(ctx, 200, found);
                }
            });
        }
    }

    void confirm(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_PUBLISH, Role.OPERATOR);
        if (caller != null) {
            var precondition = new Precondition(ctx.request().headers());
            decide(
                    ctx,
                    (id, note) -> changes.confirm(caller, id, note, proposal -> precondition.matches(etag(proposal))));
        }
    }

    void reject(RoutingContext ctx) {
        Caller caller = callers.require(ctx, Role.POLICY_PUBLISH, Role.POLICY_WRITE, Role.ADMIN, Role.OPERATOR);
        if (caller != null) {
            boolean publishes = caller.mayAny(Role.POLICY_PUBLISH, Role.OPERATOR);
            decide(ctx, (id, note) -> changes.reject(caller, id, note, publishes));
        }
    }

    private static void decide(RoutingContext ctx, BiFunction<UUID, @Nullable String, Future<Decision>> deciding) {
        UUID id = id(ctx);
        if (id == null) {
            return;
        }
        Body body = null;
        if (ctx.body().length() > 0) {
            body = Bodies.object(ctx);
            if (body == null) {
                return;
            }
        }
        try {
            String note = body == null ? null : new Members(body.json(), "note").text("note");
            Waiting.change(ctx, deciding.apply(id, note), decision -> decided(ctx, decision));
        } catch (Unfit e) {
            Members.refuse(ctx, e);
        }
    }

    private static void decided(RoutingContext ctx, Decision decision) {
        if (decision instanceof Decision.Done done) {
            send(ctx, 200, done.now());
            return;
        }
        if (decision instanceof Decision.Unseen unseen) {
            ctx.response().putHeader(HttpHeaders.ETAG, etag(unseen.now()));
            Problems.send(
                    ctx,
                    412,
                    "precondition_failed",
                    "the proposal is not the one that `If-Match` names: read its `diff` again, then confirm");
            return;
        }
        switch ((Decision.Refused) decision) {
            case UNKNOWN -> unknown(ctx);
            case ENDED -> Problems.send(ctx, 409, "proposal_ended", "this proposal was decided before: read it again");
            case SAME_PERSON ->
                Problems.send(
                        ctx,
                        403,
                        "second_person_needed",
                        "who proposed a change does not confirm it, and no service does: it takes the key of another person");
            case NOT_YOURS ->
                Problems.send(
                        ctx,
                        403,
                        "forbidden",
                        "a proposal is refused with the role policy.publish, or taken back by who made it");
            case OUTDATED ->
                Problems.send(
                        ctx,
                        409,
                        "proposal_outdated",
                        "what it changes was changed otherwise meanwhile: propose it again");
            case DIFFERS ->
                Problems.send(
                        ctx,
                        409,
                        "proposal_differs",
                        "other changes since have changed what this one would let through: read its `diff` again, then confirm");
        }
    }

    /** Answers that a change waits for another person. */
    static void proposed(RoutingContext ctx, Proposal proposal) {
        ctx.response().putHeader("Location", PATH + proposal.id());
        Bodies.send(ctx, 202, view(proposal));
    }

    private static void send(RoutingContext ctx, int status, Proposal proposal) {
        ctx.response().putHeader(HttpHeaders.ETAG, etag(proposal));
        Bodies.send(ctx, status, view(proposal));
    }

    private static String etag(Proposal proposal) {
        return "\"" + proposal.tag() + "\"";
    }

    /** Answers that too many changes wait. */
    static void full(RoutingContext ctx) {
        Problems.send(
                ctx,
                409,
                "too_many_proposals",
                "this change needs another person, and " + ProposalStore.MAX_OPEN
                        + " changes wait for one already: have some of them decided first");
    }

    private static ObjectNode view(Proposal proposal) {
        ObjectNode out = JSON.createObjectNode()
                .put("id", proposal.id().toString())
                .put("kind", proposal.kind().word())
                .put("name", proposal.name());
        out.set("change", Past.json(proposal.change()));
        out.put("base_version", proposal.baseVersion());
        out.set("diff", Past.json(proposal.diff()));
        out.put("state", proposal.state().word());
        author(out, "proposed", proposal.author());
        author(out, "decided", proposal.decided());
        return proposal.note() == null ? out : out.put("note", proposal.note());
    }

    private static void author(ObjectNode out, String what, @Nullable Author author) {
        if (author != null) {
            out.put(what + "_at", author.at().toString()).put(what + "_by", author.key());
            if (author.person() != null) {
                out.put(what + "_person", author.person().toString());
            }
        }
    }

    private @Nullable Caller reader(RoutingContext ctx) {
        return callers.require(
                ctx, Role.POLICY_READ, Role.POLICY_WRITE, Role.POLICY_PUBLISH, Role.ADMIN, Role.OPERATOR);
    }

    private static @Nullable UUID id(RoutingContext ctx) {
        return Parameters.uuidOr(ctx, () -> unknown(ctx));
    }

    private static void unknown(RoutingContext ctx) {
        Problems.send(ctx, 404, "not_found", "there is no such proposal here");
    }
}
