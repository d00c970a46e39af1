package dev.countersign.server.issuers;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.StrictJson;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The keys of an issuer as it published them at one instant, by {@code kid}. Immutable. */
final class KeySet {
    /** No keys. */
    static final KeySet NONE = new KeySet(Map.of());

    private static final int MOST = 100;

    private final Map<String, VerifyingKey> byId;

    private KeySet(Map<String, VerifyingKey> byId) {
        this.byId = byId;
    }

    /**
     * The keys in a JWK Set that verify signatures and have an id; others are left out.
     *
     * @throws BadCall if it is no JWK Set, or has more than 100 keys; the message says so
     */
    static KeySet read(byte[] json) throws BadCall {
        JsonNode keys = StrictJson.read(json).path("keys");
        if (!keys.isArray() || keys.size() > MOST) {
            throw new BadCall("not a JWK Set of at most " + MOST + " keys");
        }
        var byId = new HashMap<String, VerifyingKey>();
        for (JsonNode each : keys) {
            VerifyingKey key = VerifyingKey.read(each);
            if (key != null) {
                byId.putIfAbsent(key.kid(), key);
            }
        }
        return new KeySet(Map.copyOf(byId));
    }

    /** The key of that id, or {@code null}. */
    @Nullable
    VerifyingKey find(String kid) {
        return byId.get(kid);
    }

    int size() {
        return byId.size();
    }
}
