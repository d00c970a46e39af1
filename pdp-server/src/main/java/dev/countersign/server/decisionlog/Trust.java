package dev.countersign.server.decisionlog;

import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWKSet;
import java.text.ParseException;
import java.time.Instant;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What somebody who verifies an export has from elsewhere.
 *
 * @param keys the keys that checkpoints must be signed with; {@code null} to take those that the export brings
 * @param kept checkpoints that were kept elsewhere, serialized
 * @param eventsSince events before were deleted on purpose, so that those that are missing are no finding
 */
public record Trust(@Nullable List<ECKey> keys, List<String> kept, Instant eventsSince) {
    /** Nothing: an export then proves what it holds to whoever believes the keys in it. */
    public static final Trust NONE = new Trust(null, List.of(), Instant.MIN);

    private static final Pattern JWS = Pattern.compile("eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");

    /**
     * The keys of a JWK Set that can sign checkpoints.
     *
     * @throws IllegalArgumentException if the text is none
     */
    public static List<ECKey> keys(String jwks) {
        try {
            return JWKSet.parse(jwks).getKeys().stream()
                    .filter(ECKey.class::isInstance)
                    .map(ECKey.class::cast)
                    .toList();
        } catch (ParseException e) {
            throw new IllegalArgumentException("not a JWK Set (RFC 7517)", e);
        }
    }

    /** The checkpoints in a text of any kind: a server's log, an answer of the API, a list of them. */
    public static List<String> checkpoints(String text) {
        return JWS.matcher(text).results().map(MatchResult::group).toList();
    }
}
