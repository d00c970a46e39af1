package dev.countersign.server.signing;

import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The keys of all servers as they were at one instant: those that sign, will sign, or have signed what may still be good. */
public final class SigningKeys {
    /** No keys: nothing can be signed, and nothing is good. */
    public static final SigningKeys NONE = new SigningKeys(List.of());

    private final List<SigningKey> newestFirst;
    private final Map<String, SigningKey> byId;
    private final String jwks;

    SigningKeys(List<SigningKey> newestFirst) {
        this.newestFirst = List.copyOf(newestFirst);
        this.byId = newestFirst.stream().collect(Collectors.toUnmodifiableMap(SigningKey::kid, Function.identity()));
        this.jwks =
                new JWKSet(newestFirst.stream().<JWK>map(SigningKey::published).toList()).toString(true);
    }

    /**
     * The JWK Set (RFC 7517) in JSON, newest key first, each with {@code kid}, {@code use} and {@code alg} and nothing
     * private. Keys are in it a day before they sign; whoever caches it for less than that has every key in time.
     */
    public String jwks() {
        return jwks;
    }

    /** The newest key that may sign, or {@code null}. */
    @Nullable
    SigningKey current(Instant now) {
        return newestFirst.stream().filter(key -> key.signs(now)).findFirst().orElse(null);
    }

    /** The key of this id, or {@code null} if there is none whose tokens may be good. */
    @Nullable
    SigningKey find(String kid, Instant now) {
        SigningKey key = byId.get(kid);
        return key != null && now.isBefore(key.publishUntil()) ? key : null;
    }
}
