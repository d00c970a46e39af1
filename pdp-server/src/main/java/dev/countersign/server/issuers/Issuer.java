package dev.countersign.server.issuers;

import dev.countersign.server.identity.Role;
import java.net.URI;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An issuer of tokens as a tenant has registered it. Its tokens are the tenant's, whatever they say themselves.
 *
 * @param id the registration
 * @param tenant whose it is
 * @param issuer what its tokens have as {@code iss}
 * @param audience what its tokens name in {@code aud}; no other registration of the same issuer has it
 * @param terms how its tokens are judged
 * @param createdAt when it was registered
 * @param createdBy the id of the caller who did
 * @param disabledAt since when none of its tokens is good; {@code null} if they are
 * @param disabledBy the id of the caller who disabled it
 */
public record Issuer(
        UUID id,
        String tenant,
        String issuer,
        String audience,
        Terms terms,
        Instant createdAt,
        String createdBy,
        @Nullable Instant disabledAt,
        @Nullable String disabledBy) {
    /** The signatures that may be allowed: none by a secret that both sides know. */
    public static final Set<String> ALGORITHMS =
            Set.of("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA");

    /**
     * How tokens are judged.
     *
     * @param jwksUri where the issuer publishes its keys
     * @param algorithms those of {@link #ALGORITHMS} that are taken
     * @param rolesClaim the claim that tells roles: the name of a member, or a JSON pointer if it begins with a slash. It holds
     *     a list of texts, or one text in which spaces part them
     * @param roleMap what those texts mean here; others mean nothing. Never the operator's role
     */
    public record Terms(URI jwksUri, List<String> algorithms, String rolesClaim, Map<String, List<Role>> roleMap) {}
}
