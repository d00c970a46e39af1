package dev.countersign.server.decision;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.dialect.Effect;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Registered;
import dev.countersign.rules.verdict.Finding;
import dev.countersign.rules.verdict.Outcome;
import dev.countersign.rules.verdict.Verdict;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One decision.
 *
 * @param id the evaluation's id, a UUIDv7 of {@code at}
 * @param at when it was made
 * @param dialect how it was asked
 * @param call what was asked; {@code null} if a batch item was no complete call
 * @param invalid why the item was no complete call, else {@code null}
 * @param verdict what the rules say
 * @param enforcement what the caller's gate does with the answer, if the caller says so
 * @param presented the approval that the call presents; {@code null} if it presents none
 * @param requestable what lets the call be asked for; {@code null} if it was not denied for want of approval
 */
public record Decided(
        String id,
        Moment at,
        Dialect dialect,
        @Nullable Call call,
        @Nullable String invalid,
        Verdict verdict,
        @Nullable EnforcementMode enforcement,
        @Nullable Presented presented,
        @Nullable Requestable requestable) {
    /** A decision in which no approval has a part. */
    public Decided(
            String id,
            Moment at,
            Dialect dialect,
            @Nullable Call call,
            @Nullable String invalid,
            Verdict verdict,
            @Nullable EnforcementMode enforcement) {
        this(id, at, dialect, call, invalid, verdict, enforcement, null, null);
    }

    /** The reason of an allow whose obligations the caller did not say it supports. */
    public static final String UNSUPPORTED = "obligations_not_supported";
    /** The reason of a batch item that is no complete call. */
    public static final String INVALID = "invalid_request";

    /** The reason of a call whose arguments break the schema that is registered for its action. */
    public static final String INVALID_ARGUMENTS = "invalid_arguments";

    /** The obligation types that this server issues, and a caller may declare in {@code context.supported_obligations}. */
    public static final List<String> OBLIGATIONS = List.of("custom", "notification", "session_termination", "step-up");

    /**
     * Whether the answer lets the call run: an allow, whose obligations the caller can be trusted to know of. On AuthZEN it
     * declared to support all their types; the policy API can tell of limits and of the mode by {@code modify}, and of no
     * other obligation; the policy gate carries them all, and never under the word {@code allow}. Whoever reads only the one word then never runs a call without what it owes.
     */
    public boolean permitted() {
        if (verdict.outcome() != Outcome.ALLOW || verdict.obligations().isEmpty()) {
            return verdict.outcome() == Outcome.ALLOW;
        }
        return switch (dialect) {
            case AUTHZEN -> supported();
            case AUTHORIZE -> true;
            // Here the server itself runs the call, and it carries out no obligation.
            case ACTIONS, APPROVALS -> false;
            case POLICY_EVALUATE -> verdict.obligations().stream().noneMatch(Effect.Oblige.class::isInstance);
        };
    }

    private boolean supported() {
        JsonNode context = call == null ? null : call.context();
        JsonNode declared = context == null ? null : context.get("supported_obligations");
        if (declared == null || !declared.isArray()) {
            return false;
        }
        Set<String> types = new HashSet<>();
        declared.forEach(type -> types.add(type.asText()));
        return verdict.obligations().stream().allMatch(effect -> types.contains(type(effect)));
    }

    /** The type of an obligation on the wire: the registered one of that name, else {@code custom}. */
    static String type(Effect effect) {
        return effect instanceof Effect.Oblige oblige && OBLIGATIONS.contains(oblige.type()) ? oblige.type() : "custom";
    }

    /** The first reason code, as the wire has it. */
    public String reason() {
        if (invalid != null) {
            return INVALID;
        }
        Refusal refused = refusal();
        if (refused != null) {
            return refused.word();
        }
        return switch (verdict.outcome()) {
            case ALLOW -> permitted() ? verdict.reasons().get(0) : UNSUPPORTED;
            case DENY -> verdict.reasons().get(0);
            case REQUIRE_APPROVAL -> "approval_required";
        };
    }

    /** Why the call was denied although it presents an approval; {@code null} if it was not, or presents none. */
    public @Nullable Refusal refusal() {
        if (presented == null || verdict.outcome() == Outcome.ALLOW) {
            return null;
        }
        if (verdict.outcome() == Outcome.DENY) {
            return Refusal.POLICY_DENIED;
        }
        return presented instanceof Presented.Worthless nothing ? nothing.why() : Refusal.OUT_OF_SCOPE;
    }

    /** The approval without which the call would not run; {@code null} if none was needed, or it does not run. */
    public Presented.@Nullable Good uses() {
        return permitted() && !verdict.discharged().isEmpty() && presented instanceof Presented.Good good ? good : null;
    }

    /** The same call, denied as its approval turned out to be no good when it was to be used. */
    Decided without(TenantPolicy policy, Refusal why) {
        Verdict asks = new Verdict(
                Outcome.REQUIRE_APPROVAL,
                verdict.discharged().stream().map(Finding::code).distinct().toList(),
                verdict.discharged().get(0).rule(),
                null,
                verdict.matched(),
                verdict.unknown(),
                verdict.discharged(),
                List.of());
        var denied = new Decided(
                id,
                at,
                dialect,
                call,
                invalid,
                asks,
                enforcement,
                new Presented.Worthless(presented == null ? null : presented.id(), why),
                null);
        return denied.asking(policy);
    }

    /** The same with what lets it be asked for, if it can be. */
    public Decided asking(TenantPolicy policy) {
        Refusal refused = refusal();
        if (verdict.outcome() != Outcome.REQUIRE_APPROVAL
                || call == null
                || refused != null && !refused.requestable()) {
            return this;
        }
        Requestable asking = Requestable.of(policy, call, verdict, at);
        return asking == null
                ? this
                : new Decided(id, at, dialect, call, invalid, verdict, enforcement, presented, asking);
    }

    /** Where the arguments break the schema of the action, as JSON Pointers; empty if they do not. */
    public List<String> unfit() {
        return call == null ? List.of() : unfit(call);
    }

    static List<String> unfit(Call call) {
        return call.registered() == null ? List.of() : call.registered().unfit();
    }

    /** The risk that the settling rule names, else the one that is registered for the action, else one by the outcome. */
    public String risk() {
        Registered registered = call == null ? null : call.registered();
        return registered == null || verdict.namedRisk() != null ? verdict.risk() : registered.risk();
    }

    /** The rule that settled the verdict, as {@code pack/name}, or {@code null} if none did. */
    public @Nullable String policy() {
        return verdict.settledBy() == null ? null : verdict.settledBy().id();
    }
}
