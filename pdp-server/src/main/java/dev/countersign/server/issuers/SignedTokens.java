package dev.countersign.server.issuers;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.util.Base64URL;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.StrictJson;
import dev.countersign.server.issuers.Recognition.Refused;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Tells which registered issuer has signed a token; never by a key or an algorithm that only the token names. May be used
 * from any thread.
 */
final class SignedTokens {
    /** The longest token, in characters. */
    static final int MAX_LENGTH = 16 * 1_024;

    /** How far the clock of an issuer may differ. */
    static final Duration TOLERANCE = Duration.ofSeconds(30);

    private static final long LATEST = Instant.parse("9999-12-31T00:00:00Z").getEpochSecond();
    private static final Pattern COMPACT = Pattern.compile("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");
    /** What would change how the token is read, or bring the key that verifies it. */
    private static final List<String> NEVER = List.of("crit", "b64", "zip", "jku", "jwk", "x5u", "x5c");

    /** What came of it. */
    sealed interface Checked {
        /** The registration of its issuer and audience, by one of these keys. */
        record Signed(JsonNode claims, Issuer issuer, KeySet keys) implements Checked {}

        /** It is not signed so. */
        record Unsigned(Refused why) implements Checked {}
    }

    private final Function<UUID, KeySet> keys;
    private final Predicate<UUID> ask;

    /**
     * @param keys what an issuer signs with
     * @param ask has keys read again; whether that is under way
     */
    SignedTokens(Function<UUID, KeySet> keys, Predicate<UUID> ask) {
        this.keys = keys;
        this.ask = ask;
    }

    /** Whether it looks like a token. */
    static boolean compact(String token) {
        return token.length() <= MAX_LENGTH && COMPACT.matcher(token).matches();
    }

    /** Whether a registered issuer has signed this for its registered audience, with one of these as {@code typ}. */
    Checked check(String token, Set<String> types, Issuers known) {
        if (!compact(token)) {
            return new Checked.Unsigned(Refused.MALFORMED);
        }
        String[] parts = token.split("\\.", -1);
        JsonNode header = object(parts[0]);
        JsonNode claims = object(parts[1]);
        if (header == null || claims == null || !readable(header, types)) {
            return new Checked.Unsigned(Refused.MALFORMED);
        }
        Issuer issuer = issuer(claims, known);
        String algorithm = header.path("alg").textValue();
        String kid = header.path("kid").textValue();
        if (issuer == null || kid == null || !issuer.terms().algorithms().contains(algorithm)) {
            return new Checked.Unsigned(Refused.UNKNOWN);
        }
        KeySet published = keys.apply(issuer.id());
        VerifyingKey key = published.find(kid);
        if (key == null) {
            return new Checked.Unsigned(ask.test(issuer.id()) ? Refused.READING : Refused.UNKNOWN);
        }
        byte[] input = token.substring(0, token.lastIndexOf('.')).getBytes(StandardCharsets.US_ASCII);
        return key.verifies(algorithm, input, new Base64URL(parts[2]))
                ? new Checked.Signed(claims, issuer, published)
                : new Checked.Unsigned(Refused.UNKNOWN);
    }

    private static boolean readable(JsonNode header, Set<String> types) {
        String type = header.path("typ").textValue();
        return type != null
                && types.contains(type.toLowerCase(Locale.ROOT))
                && header.path("alg").isTextual()
                && NEVER.stream().noneMatch(header::has);
    }

    /** The one registration that the token is for; {@code null} if there is none, or if its audience fits several. */
    private static @Nullable Issuer issuer(JsonNode claims, Issuers known) {
        String name = claims.path("iss").textValue();
        JsonNode audience = claims.path("aud");
        if (name == null) {
            return null;
        }
        List<String> audiences = texts(audience).toList();
        List<Issuer> fitting = known.named(name).stream()
                .filter(issuer -> audiences.contains(issuer.audience()))
                .toList();
        return fitting.size() == 1 ? fitting.get(0) : null;
    }

    /** Why a token with these claims is not good now: by {@code exp}, and {@code nbf} and {@code iat} if they are there. */
    static @Nullable Refused untimely(JsonNode claims, Instant now) {
        boolean timed = time(claims.path("exp"))
                && Stream.of("nbf", "iat").allMatch(name -> !claims.has(name) || time(claims.path(name)));
        if (!timed) {
            return Refused.CLAIMS;
        }
        if (!now.isBefore(end(claims))) {
            return Refused.EXPIRED;
        }
        long latest = now.plus(TOLERANCE).getEpochSecond();
        return claims.path("nbf").longValue() > latest || claims.path("iat").longValue() > latest
                ? Refused.EARLY
                : null;
    }

    /** From when on a token with these claims is expired. */
    static Instant end(JsonNode claims) {
        return Instant.ofEpochSecond(claims.path("exp").longValue()).plus(TOLERANCE);
    }

    private static boolean time(JsonNode time) {
        return time.isNumber() && time.doubleValue() >= 0 && time.doubleValue() <= LATEST;
    }

    /** The text, or the texts of the list; what is no text is left out. */
    static Stream<String> texts(JsonNode node) {
        return (node.isArray() ? StreamSupport.stream(node.spliterator(), false) : Stream.of(node))
                .filter(JsonNode::isTextual)
                .map(JsonNode::textValue);
    }

    private static @Nullable JsonNode object(String part) {
        try {
            JsonNode read = StrictJson.read(Base64.getUrlDecoder().decode(part));
            return read.isObject() ? read : null;
        } catch (BadCall | IllegalArgumentException e) {
            return null;
        }
    }
}
