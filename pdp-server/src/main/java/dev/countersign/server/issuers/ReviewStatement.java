package dev.countersign.server.issuers;

import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What an issuer has signed about the decision of a person.
 *
 * @param issuer the registration of the issuer
 * @param name what it calls itself
 * @param sub what it calls the person
 * @param person who that is here
 * @param id its {@code jti}
 * @param request the id of the access request that it is about, as it stands there
 * @param digest the digest of the call that it is about, as it stands there
 * @param approve whether the person approves; else the person refuses
 * @param note why, in the person's words
 * @param until from when on it is refused as expired
 */
public record ReviewStatement(
        UUID issuer,
        String name,
        String sub,
        UUID person,
        String id,
        String request,
        String digest,
        boolean approve,
        @Nullable String note,
        Instant until) {}
