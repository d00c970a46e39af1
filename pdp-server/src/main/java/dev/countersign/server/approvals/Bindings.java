package dev.countersign.server.approvals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.api.BoundCall;
import dev.countersign.api.NotCanonicalException;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.Worded;
import dev.countersign.server.decision.Decided;
import dev.countersign.server.decision.DecisionRecords;
import dev.countersign.server.decision.Requestable;
import dev.countersign.server.decision.UuidV7;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.signing.OwnTokens;
import dev.countersign.server.signing.Tokens;
import dev.countersign.server.signing.Verified;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What binds an access request to the denial that it is about: a signed token, or the denial's id, which names its record.
 * Both hold the same digest of the call (AuthZEN Access Request and Approval Profile, Binding Token Integrity).
 */
public final class Bindings {
    private static final String TYPE = "binding+jwt";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A record that may not have reached the table yet is waited for in pauses, each twice as long as the one before. */
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);

    private static final Duration LAST_PAUSE = Duration.ofMillis(800);

    private final Vertx vertx;
    private final OwnTokens tokens;
    private final DecisionRecords records;
    private final InstantSource clock;

    /** Those of the decisions in {@code records}. */
    public Bindings(Vertx vertx, OwnTokens tokens, DecisionRecords records, InstantSource clock) {
        this.vertx = vertx;
        this.tokens = tokens;
        this.records = records;
        this.clock = clock;
    }

    /** The token of a requestable denial. */
    public Future<String> token(Caller caller, Decided denied) {
        Requestable requestable = Objects.requireNonNull(denied.requestable());
        ObjectNode claims = JsonNodeFactory.instance
                .objectNode()
                .put("iat", denied.at().instant().getEpochSecond())
                .put("exp", requestable.until().instant().getEpochSecond())
                .put("jti", denied.id())
                .put("evaluation_id", denied.id())
                .put("tenant", caller.inTenant())
                .put("requester", caller.principal())
                .put("denial_expires_at", requestable.until().text())
                .put("binding_hash", requestable.hash());
        var members = claims.putArray("binding_context_members");
        requestable.members().forEach(members::add);
        var actors = claims.putArray("actors");
        requestable.actors().forEach(actors::add);
        return tokens.sign(TYPE, claims);
    }

    /** What binds a submission, as it was sent back. */
    public record Denial(
            @Nullable String evaluationId, @Nullable String bindingToken, Instant expiresAt) {}

    /** What a submission is worth. */
    public sealed interface Bound {
        /**
         * It is about the denial of this evaluation.
         *
         * @param actors who acted for the subject then, as was claimed
         */
        record To(UUID evaluation, List<String> actors) implements Bound {}

        /** It is about none, in the words of the profile's problem types. */
        enum Refused implements Bound, Worded {
            /** The denial was not one that can be asked for. */
            NOT_REQUESTABLE,
            /** The denial can be asked for no more. */
            EXPIRED_DENIAL,
            /** There is no such denial of this call. */
            INVALID_DENIAL_BINDING
        }
    }

    /** Whether a call is the one that was denied. */
    public Future<Bound> check(Caller caller, Call call, Denial denial) {
        String token = denial.bindingToken();
        if (token != null) {
            return tokens.verify(token, TYPE).map(verified -> byToken(caller, call, denial, verified));
        }
        UUID id = id(denial.evaluationId());
        return id == null
                ? Future.succeededFuture(Bound.Refused.INVALID_DENIAL_BINDING)
                : record(caller, id, FIRST_PAUSE).map(entry -> byRecord(caller, call, id, entry));
    }

    private Bound byToken(Caller caller, Call call, Denial denial, Verified verified) {
        if (!(verified instanceof Verified.Good good)) {
            return verified == Verified.Bad.EXPIRED
                    ? Bound.Refused.EXPIRED_DENIAL
                    : Bound.Refused.INVALID_DENIAL_BINDING;
        }
        JsonNode claims = good.claims();
        UUID evaluation = id(claims.path("evaluation_id").textValue());
        if (evaluation == null) {
            return Bound.Refused.INVALID_DENIAL_BINDING;
        }
        boolean fits = caller.inTenant().equals(claims.path("tenant").textValue())
                && caller.principal().equals(claims.path("requester").textValue())
                && (denial.evaluationId() == null
                        || denial.evaluationId()
                                .equals(claims.path("evaluation_id").textValue()))
                && denial.expiresAt().equals(instant(claims.path("denial_expires_at")))
                && same(call, claims.path("binding_context_members"), claims.path("binding_hash"));
        if (!fits) {
            return Bound.Refused.INVALID_DENIAL_BINDING;
        }
        return fresh(denial.expiresAt())
                ? new Bound.To(evaluation, texts(claims.path("actors")))
                : Bound.Refused.EXPIRED_DENIAL;
    }

    /** What was echoed counts for nothing where the record says it. */
    private Bound byRecord(Caller caller, Call call, UUID id, @Nullable String entry) {
        if (entry == null) {
            return Bound.Refused.INVALID_DENIAL_BINDING;
        }
        JsonNode requestable = read(entry).path("requestable");
        Instant until = instant(requestable.path("expires_at"));
        if (until == null) {
            return Bound.Refused.NOT_REQUESTABLE;
        }
        if (!caller.principal().equals(requestable.path("requester").textValue())) {
            return Bound.Refused.INVALID_DENIAL_BINDING;
        }
        if (!fresh(until)) {
            return Bound.Refused.EXPIRED_DENIAL;
        }
        boolean same = same(call, requestable.path("binding_context_members"), requestable.path("binding_hash"));
        return same ? new Bound.To(id, texts(requestable.path("actors"))) : Bound.Refused.INVALID_DENIAL_BINDING;
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }

    private boolean fresh(Instant until) {
        return clock.instant().isBefore(until.plus(Tokens.TOLERANCE));
    }

    private static boolean same(Call call, JsonNode members, JsonNode hash) {
        List<String> bound = texts(members);
        try {
            return BoundCall.of(call.subject(), call.action(), call.resource(), call.context(), bound)
                    .bindingHash()
                    .equals(hash.textValue());
        } catch (NotCanonicalException e) {
            return false;
        }
    }

    /** The record of a decision, which reaches the table a moment after its answer has left. */
    private Future<@Nullable String> record(Caller caller, UUID id, Duration pause) {
        return records.find(caller.inTenant(), id).compose(entry -> {
            Instant made = Instant.ofEpochMilli(UuidV7.epochMilli(id));
            boolean late = made.isBefore(clock.instant().minus(Duration.ofMinutes(1)));
            if (entry != null || late || pause.compareTo(LAST_PAUSE) > 0) {
                return Future.succeededFuture(entry);
            }
            return vertx.timer(pause.toMillis(), TimeUnit.MILLISECONDS)
                    .compose(waited -> record(caller, id, pause.multipliedBy(2)));
        });
    }

    private static @Nullable UUID id(@Nullable String text) {
        try {
            return text == null ? null : UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static @Nullable Instant instant(JsonNode text) {
        return text.isTextual() ? Instant.parse(text.textValue()) : null;
    }

    private static JsonNode read(String entry) {
        try {
            return JSON.readTree(entry);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the log holds an entry that is no JSON", e);
        }
    }
}
