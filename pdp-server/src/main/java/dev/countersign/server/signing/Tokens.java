package dev.countersign.server.signing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.util.Base64URL;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.StrictJson;
import io.vertx.core.Future;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Signs and verifies tokens: JSON Web Tokens in compact serialization, by ES256, with the keys that all servers share. Their
 * header holds {@code alg}, {@code typ} and {@code kid} and nothing else, so none can bring a key or an algorithm of its own.
 * All methods may be called from any thread.
 */
public final class Tokens {
    /** The longest token, in characters. */
    public static final int MAX_LENGTH = 16 * 1_024;

    /** How long after its expiry a token is taken, as the clocks of two servers differ. */
    public static final Duration TOLERANCE = Duration.ofSeconds(30);

    private static final Pattern COMPACT = Pattern.compile("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");
    private static final Set<String> HEADER = Set.of("alg", "typ", "kid");

    private final Supplier<SigningKeys> keys;
    private final InstantSource clock;

    /**
     * Tokens of the keys that {@code keys} gives each time that it is asked.
     *
     * @param clock tells which key signs, and what has expired
     */
    public Tokens(Supplier<SigningKeys> keys, InstantSource clock) {
        this.keys = keys;
        this.clock = clock;
    }

    /**
     * A token that says this.
     *
     * @param typ what it is for, as {@code binding+jwt}: no other purpose takes it
     * @param claims at least {@code iss}, {@code aud} (a text, or texts) and {@code exp} (whole seconds since 1970)
     * @throws IllegalArgumentException if no server would take it: without these claims, too long or nested too deeply; or if
     *     it would be good for longer than {@link SigningKeyStore#MOST_LIFE}
     * @throws IllegalStateException if there is no key that signs now
     */
    public String sign(String typ, ObjectNode claims) {
        Instant now = clock.instant();
        SigningKey key = signing(now);
        String json = claims.toString();
        refuseUnverifiable(json, now);
        return sign(key, typ, json);
    }

    /**
     * What is signed for good.
     *
     * @param compact the JWS in compact serialization
     * @param kid the id of the key that signed it
     * @param jwk what everybody may know of the key, a JWK in JSON
     */
    public record Lasting(String compact, String kid, String jwk) {}

    /**
     * Signs what has no recipient and never ends. No server takes it for a token; whoever has the key verifies it.
     *
     * @param typ what it is, as {@code checkpoint+jwt}
     * @throws IllegalArgumentException if it is too long
     * @throws IllegalStateException if there is no key that signs now
     */
    public Lasting signLasting(String typ, ObjectNode claims) {
        SigningKey key = signing(clock.instant());
        return new Lasting(
                sign(key, typ, claims.toString()), key.kid(), key.published().toJSONString());
    }

    private SigningKey signing(Instant now) {
        SigningKey key = keys.get().current(now);
        if (key == null) {
            throw new IllegalStateException(
                    "no key signs now: this server has not read one from the database since the last one ended");
        }
        return key;
    }

    private static String sign(SigningKey key, String typ, String json) {
        var token = new JWSObject(
                new JWSHeader.Builder(JWSAlgorithm.ES256)
                        .type(new JOSEObjectType(typ))
                        .keyID(key.kid())
                        .build(),
                new Payload(json));
        try {
            token.sign(Objects.requireNonNull(key.signer()));
        } catch (JOSEException e) {
            throw new IllegalStateException("the key " + key.kid() + " does not sign", e);
        }
        String compact = token.serialize();
        if (compact.length() > MAX_LENGTH) {
            throw new IllegalArgumentException(
                    "the token has " + compact.length() + " characters, more than " + MAX_LENGTH);
        }
        return compact;
    }

    private static void refuseUnverifiable(String json, Instant now) {
        JsonNode claims;
        try {
            claims = StrictJson.read(json.getBytes(StandardCharsets.UTF_8));
        } catch (BadCall e) {
            throw new IllegalArgumentException("the claims could not be read again: " + e.getMessage(), e);
        }
        if (!claims.path("iss").isTextual() || !someTexts(claims.path("aud"))) {
            throw new IllegalArgumentException("the claims lack iss or aud");
        }
        JsonNode exp = claims.path("exp");
        Instant latest = now.plus(SigningKeyStore.MOST_LIFE).plus(TOLERANCE);
        if (!seconds(exp) || exp.longValue() > latest.getEpochSecond()) {
            throw new IllegalArgumentException("the claims lack exp, or it is later than " + latest);
        }
    }

    /**
     * What is known of this token, now and with the keys at hand.
     *
     * @param typ what it is presented for
     * @param issuer whose it has to be
     * @param audience whom it has to name as a recipient, maybe among others
     */
    public Verified verify(String compact, String typ, String issuer, String audience) {
        if (compact.length() > MAX_LENGTH || !COMPACT.matcher(compact).matches()) {
            return Verified.Bad.MALFORMED;
        }
        String[] parts = compact.split("\\.", -1);
        JsonNode header = object(parts[0]);
        if (header == null
                || !names(header)
                || !header.path("kid").isTextual()
                || !"ES256".equals(header.path("alg").textValue())) {
            return Verified.Bad.MALFORMED;
        }
        Instant now = clock.instant();
        SigningKey key = keys.get().find(header.path("kid").textValue(), now);
        if (key == null) {
            return Verified.Bad.UNKNOWN_KEY;
        }
        if (!signed(key, parts)) {
            return Verified.Bad.BAD_SIGNATURE;
        }
        if (!typ.equals(header.path("typ").textValue())) {
            return Verified.Bad.WRONG_TYPE;
        }
        JsonNode claims = object(parts[1]);
        return claims == null ? Verified.Bad.MALFORMED : judge(claims, issuer, audience, now);
    }

    /**
     * The same, but if the key is unknown, looks for new keys once before it says so: another server may have made one.
     *
     * @param refresh reads the keys again; done when those that this object is given are as new as those in the database
     * @return failed if {@code refresh} fails, as then nobody knows whether the token is good
     */
    public Future<Verified> verify(
            String compact, String typ, String issuer, String audience, Supplier<Future<Void>> refresh) {
        Verified first = verify(compact, typ, issuer, audience);
        return first == Verified.Bad.UNKNOWN_KEY
                ? refresh.get().map(refreshed -> verify(compact, typ, issuer, audience))
                : Future.succeededFuture(first);
    }

    private static boolean names(JsonNode header) {
        return header.properties().stream().allMatch(member -> HEADER.contains(member.getKey()));
    }

    /** The algorithm is ours, whatever the header says. */
    private static boolean signed(SigningKey key, String[] parts) {
        byte[] input = (parts[0] + '.' + parts[1]).getBytes(StandardCharsets.US_ASCII);
        var signature = new Base64URL(parts[2]);
        try {
            // One signature has one spelling, though the last character has bits to spare.
            return Base64URL.encode(signature.decode()).equals(signature)
                    && key.verifier().verify(new JWSHeader(JWSAlgorithm.ES256), input, signature);
        } catch (JOSEException e) {
            return false;
        }
    }

    private static Verified judge(JsonNode claims, String issuer, String audience, Instant now) {
        if (!issuer.equals(claims.path("iss").textValue())) {
            return Verified.Bad.WRONG_ISSUER;
        }
        JsonNode aud = claims.path("aud");
        if (!someTexts(aud)) {
            return Verified.Bad.NO_AUDIENCE;
        }
        if (!texts(aud).anyMatch(one -> audience.equals(one.textValue()))) {
            return Verified.Bad.WRONG_AUDIENCE;
        }
        JsonNode exp = claims.path("exp");
        if (!seconds(exp) || now.minus(TOLERANCE).getEpochSecond() >= exp.longValue()) {
            return Verified.Bad.EXPIRED;
        }
        return new Verified.Good(claims);
    }

    private static boolean seconds(JsonNode time) {
        return time.isIntegralNumber() && time.canConvertToLong() && time.longValue() >= 0;
    }

    private static boolean someTexts(JsonNode aud) {
        return !aud.isMissingNode()
                && texts(aud).findAny().isPresent()
                && texts(aud)
                        .allMatch(one -> one.isTextual() && !one.textValue().isEmpty());
    }

    private static Stream<JsonNode> texts(JsonNode aud) {
        return aud.isArray() ? StreamSupport.stream(aud.spliterator(), false) : Stream.of(aud);
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
