package dev.countersign.server.issuers;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.server.issuers.Recognition.Refused;
import dev.countersign.server.issuers.SignedTokens.Checked;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads statements of who decided about an access request: JWS by an issuer that the tenant has registered, as tokens of
 * callers are verified, of a type of their own. Whether one was used before is not for it to say. May be used from any thread.
 */
public final class ReviewStatements {
    /** What stands in {@code typ}, so that no token of a caller is a statement, nor the other way round. */
    public static final String TYPE = "review-statement+jwt";

    /** The longest time between {@code iat} and {@code exp}. */
    public static final Duration MOST_LIFE = Duration.ofMinutes(10);

    private static final Set<String> TYPES = Set.of(TYPE);

    /** What was read. */
    public sealed interface Reading {
        /** A statement that is good now. */
        record Said(ReviewStatement statement) implements Reading {}

        /** It is not taken. */
        record Not(StatementRefusal why) implements Reading {}
    }

    private final Supplier<Issuers> issuers;
    private final SignedTokens tokens;
    private final InstantSource clock;

    /** Statements of these issuers, as {@code issuers} gives them each time that it is asked, by these keys. */
    public ReviewStatements(Supplier<Issuers> issuers, KeySets keys, InstantSource clock) {
        this.issuers = issuers;
        this.tokens = new SignedTokens(keys::of, keys::ask);
        this.clock = clock;
    }

    /** What a statement says that is presented in a tenant. */
    public Reading read(String statement, String tenant) {
        Issuers known = issuers.get();
        Checked checked = tokens.check(statement, TYPES, known);
        if (checked instanceof Checked.Signed signed && signed.issuer().tenant().equals(tenant)) {
            StatementRefusal unfit = unfit(signed.claims());
            Reading said = unfit == null ? said(signed, known) : null;
            return said == null ? new Reading.Not(unfit == null ? StatementRefusal.NOBODY : unfit) : said;
        }
        Refused why = checked instanceof Checked.Unsigned unsigned ? unsigned.why() : Refused.UNKNOWN;
        return new Reading.Not(
                switch (why) {
                    case MALFORMED -> StatementRefusal.MALFORMED;
                    case READING -> StatementRefusal.READING;
                    default -> StatementRefusal.UNSIGNED;
                });
    }

    private @Nullable StatementRefusal unfit(JsonNode claims) {
        Refused untimely = SignedTokens.untimely(claims, clock.instant());
        if (untimely != null || !complete(claims)) {
            return untimely == Refused.EXPIRED
                    ? StatementRefusal.EXPIRED
                    : untimely == Refused.EARLY ? StatementRefusal.EARLY : StatementRefusal.CLAIMS;
        }
        long life = claims.path("exp").longValue() - claims.path("iat").longValue();
        return life > MOST_LIFE.toSeconds() ? StatementRefusal.TOO_LONG : null;
    }

    private static boolean complete(JsonNode claims) {
        String sub = claims.path("sub").textValue();
        String id = claims.path("jti").textValue();
        JsonNode note = claims.path("note");
        return claims.has("iat")
                && sub != null
                && Subject.fit(sub)
                && id != null
                && Subject.fit(id)
                && claims.path("request_id").isTextual()
                && claims.path("digest").isTextual()
                && Set.of("approve", "deny").contains(claims.path("decision").asText())
                && (note.isMissingNode() || note.isNull() || note.isTextual());
    }

    private static @Nullable Reading said(Checked.Signed signed, Issuers known) {
        JsonNode claims = signed.claims();
        Issuer issuer = signed.issuer();
        String sub = claims.path("sub").textValue();
        Issuers.Known person = known.person(issuer.id(), sub);
        return person == null || !person.approves()
                ? null
                : new Reading.Said(new ReviewStatement(
                        issuer.id(),
                        issuer.issuer(),
                        sub,
                        person.person(),
                        claims.path("jti").textValue(),
                        claims.path("request_id").textValue(),
                        claims.path("digest").textValue(),
                        claims.path("decision").textValue().equals("approve"),
                        claims.path("note").textValue(),
                        SignedTokens.end(claims)));
    }
}
