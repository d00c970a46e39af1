package dev.countersign.server.approvals;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.Call;
import dev.countersign.server.actions.Action;
import dev.countersign.server.approvals.ApprovalLifecycle.Status;
import dev.countersign.server.decision.Actors;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.Presented;
import dev.countersign.server.decision.Refusal;
import dev.countersign.server.decision.TenantPolicy;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.live.Changes;
import dev.countersign.server.signing.OwnTokens;
import dev.countersign.server.signing.Verified;
import io.vertx.core.Future;
import io.vertx.sqlclient.SqlConnection;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The uses of approvals: a call presents one, rules judge the call anew with it, and if they allow it the approval is used,
 * once. An approval alone allows nothing.
 */
public final class Uses {
    /** How long a run is waited for that has to be reported. */
    private static final Duration REPORT_WITHIN = Duration.ofMinutes(15);

    /** The same of the server's own runs, which have half a minute. */
    private static final Duration OWN_REPORT_WITHIN = Duration.ofMinutes(1);

    private final AccessRequestStore requests;
    private final ApprovalStore approvals;
    private final Changes changes;
    private final Transitions transitions;
    private final OwnTokens tokens;
    private final InstantSource clock;

    Uses(
            AccessRequestStore requests,
            ApprovalStore approvals,
            Changes changes,
            Transitions transitions,
            OwnTokens tokens,
            InstantSource clock) {
        this.requests = requests;
        this.approvals = approvals;
        this.changes = changes;
        this.transitions = transitions;
        this.tokens = tokens;
        this.clock = clock;
    }

    /** The member of the context by which a call presents an approval. */
    public static final String APPROVAL = "approval";

    /** The member of the context by which a call says how it will be reported. */
    public static final String EXECUTION = "execution_id";

    /** How the names of the server's own runs begin: who reads one can neither take up that run nor report it. */
    public static final String SERVER = "server:";

    /** Whether a call presents an approval. */
    public static boolean presents(Call call) {
        return call.context() != null && call.context().hasNonNull(APPROVAL);
    }

    /**
     * What the approval is worth that a call presents.
     *
     * @param policy what judges the call: what it reads has to be bound
     * @return failed if that cannot be found out, as then nothing may be decided
     */
    public Future<Presented> present(TenantPolicy policy, Caller caller, Call call) {
        JsonNode given = Objects.requireNonNull(call.context()).get(APPROVAL);
        UUID id = id(given.path("id").textValue());
        if (id == null) {
            return Future.succeededFuture(new Presented.Worthless(null, Refusal.APPROVAL_UNVERIFIABLE));
        }
        return proven(id, given.get("state"))
                .compose(refused -> refused != null
                        ? Future.succeededFuture(new Presented.Worthless(id.toString(), refused))
                        : look(policy, caller, call, id));
    }

    private static @Nullable UUID id(@Nullable String text) {
        try {
            return text == null ? null : UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    /** Why the signed reference proves nothing; {@code null} if it does, or none is given: the id is looked up anyway. */
    private Future<@Nullable Refusal> proven(UUID id, @Nullable JsonNode state) {
        if (state == null) {
            return Future.succeededFuture(null);
        }
        if (!state.isTextual()) {
            return Future.succeededFuture(Refusal.APPROVAL_UNVERIFIABLE);
        }
        return tokens.verify(state.textValue(), Transitions.STATE).map(verified -> {
            if (verified instanceof Verified.Good good) {
                boolean same =
                        id.toString().equals(good.claims().path("approval_id").textValue());
                return same ? null : Refusal.APPROVAL_UNVERIFIABLE;
            }
            return verified == Verified.Bad.EXPIRED ? Refusal.APPROVAL_EXPIRED : Refusal.APPROVAL_UNVERIFIABLE;
        });
    }

    private Future<Presented> look(TenantPolicy policy, Caller caller, Call call, UUID id) {
        String tenant = caller.inTenant();
        return approvals
                .find(tenant, id)
                .compose(approval -> approval == null
                        ? Future.succeededFuture(new Presented.Worthless(id.toString(), Refusal.APPROVAL_UNVERIFIABLE))
                        : requests.find(tenant, approval.request())
                                .map(request ->
                                        worth(policy, caller, call, approval, Objects.requireNonNull(request))));
    }

    private Presented worth(TenantPolicy policy, Caller caller, Call call, Approval approval, AccessRequest request) {
        String id = approval.id().toString();
        if (!request.requester().principal().equals(caller.principal())) {
            return new Presented.Worthless(id, Refusal.APPROVAL_UNVERIFIABLE);
        }
        String execution = execution(call);
        Status status = approval.now(clock.instant());
        if (status != Status.ACTIVE && !taken(status, approval, execution)) {
            return new Presented.Worthless(id, Refusal.APPROVAL_EXPIRED);
        }
        return covers(policy, call, request) && fits(call, request)
                ? new Presented.Good(id, approval.useBy(), Set.copyOf(request.findings()), execution)
                : new Presented.Worthless(id, Refusal.OUT_OF_SCOPE);
    }

    /** Whether it is reserved for the caller's run of this name. A run of the server's own is begun once, and by nobody again. */
    private static boolean taken(Status status, Approval approval, @Nullable String execution) {
        return status == Status.RESERVED
                && execution != null
                && !execution.startsWith(SERVER)
                && execution.equals(approval.executionId());
    }

    private static @Nullable String execution(Call call) {
        return Objects.requireNonNull(call.context()).path(EXECUTION).textValue();
    }

    /** Whether the approval binds all that would be bound now: rules and the registry may have changed since. */
    private static boolean covers(TenantPolicy policy, Call call, AccessRequest request) {
        Action registered = policy.actions().find(call.actionName());
        List<String> advisory = registered == null ? List.of() : registered.advisory();
        return request.wanted().boundContext().containsAll(policy.boundContext(call.actionName()))
                && advisory.containsAll(request.wanted().advisory());
    }

    private static boolean fits(Call call, AccessRequest request) {
        AccessRequest.Wanted wanted = request.wanted();
        try {
            return Submissions.digest(request.tenant(), Actors.of(call), call, wanted.boundContext(), wanted.advisory())
                    .equals(wanted.digest());
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    /**
     * Uses the approval of a call that is allowed because of it, in the last moment before the decision is recorded.
     *
     * @return why it cannot be used after all, or {@code null} if it was
     */
    public Future<@Nullable Refusal> use(Caller caller, Decided allowed, Presented.Good good) {
        String tenant = caller.inTenant();
        UUID decision = UUID.fromString(allowed.id());
        Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
        Future<@Nullable Refusal> used = changes.act(
                caller.keyId(),
                connection -> ApprovalStore.lock(connection, tenant, UUID.fromString(good.id()))
                        .compose(locked -> {
                            if (locked == null) {
                                return Future.succeededFuture(Refusal.APPROVAL_UNVERIFIABLE);
                            }
                            Status status = locked.now(now);
                            if (taken(status, locked, good.executionId())) {
                                return Future.succeededFuture(null);
                            }
                            return status == Status.ACTIVE
                                    ? use(connection, caller, locked, good, decision, now)
                                    : Future.succeededFuture(Refusal.APPROVAL_EXPIRED);
                        }));
        // There was a run of this name: a report could not tell them apart.
        return used.recover(failure -> Submissions.taken(failure)
                ? Future.succeededFuture(Refusal.APPROVAL_EXPIRED)
                : Future.failedFuture(failure));
    }

    private Future<@Nullable Refusal> use(
            SqlConnection connection, Caller caller, Approval locked, Presented.Good good, UUID decision, Instant now) {
        String execution = good.executionId();
        Instant reportBy =
                execution == null ? null : now.plus(execution.startsWith(SERVER) ? OWN_REPORT_WITHIN : REPORT_WITHIN);
        return AccessRequestStore.find(connection, caller.inTenant(), locked.request())
                .compose(request -> transitions.use(
                        connection,
                        Objects.requireNonNull(request),
                        locked,
                        good.executionId(),
                        decision,
                        caller.keyId(),
                        now,
                        reportBy))
                .map(used -> null);
    }
}
