package dev.countersign.server.issuers;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.issuers.Recognition.Known;
import dev.countersign.server.issuers.Recognition.Refused;
import dev.countersign.server.issuers.SignedTokens.Checked;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Tells who shows a token. Its tenant is that of the registration of its issuer and audience; its person is whom an
 * administrator has said to be behind its subject; nothing of this is taken from a claim, nor a key from a header. What was
 * verified is remembered for {@link #REMEMBERED} at most, while neither issuers nor keys change. All methods may be called
 * from any thread, and none waits.
 */
public final class TokenCallers {
    /** The longest token, in characters. */
    public static final int MAX_LENGTH = SignedTokens.MAX_LENGTH;

    /** How far the clock of an issuer may differ. */
    public static final Duration TOLERANCE = SignedTokens.TOLERANCE;

    /** How long at most a token is taken without being verified once more. */
    public static final Duration REMEMBERED = Duration.ofSeconds(60);

    private static final int MOST_REMEMBERED = 10_000;
    private static final Pattern SPACES = Pattern.compile(" +");
    private static final Set<String> TYPES = Set.of("jwt", "at+jwt", "application/jwt", "application/at+jwt");

    private static final List<Role> OF_APPROVERS = List.of(Role.APPROVALS_APPROVE, Role.APPROVALS_BREAK_GLASS);

    private record Taken(Issuers issuers, UUID issuer, KeySet keys, Caller caller, Instant until) {}

    private final Supplier<Issuers> issuers;
    private final Function<UUID, KeySet> keys;
    private final SignedTokens tokens;
    private final InstantSource clock;
    private final Cache<ByteBuffer, Taken> taken = Caffeine.newBuilder()
            .maximumSize(MOST_REMEMBERED)
            .expireAfterWrite(REMEMBERED)
            .build();

    /**
     * Callers by tokens of these issuers, as {@code issuers} gives them each time that it is asked.
     *
     * @param keys what they sign with
     * @param clock tells what has expired
     */
    public TokenCallers(Supplier<Issuers> issuers, KeySets keys, InstantSource clock) {
        this(issuers, keys::of, keys::ask, clock);
    }

    TokenCallers(Supplier<Issuers> issuers, Function<UUID, KeySet> keys, Predicate<UUID> ask, InstantSource clock) {
        this.issuers = issuers;
        this.keys = keys;
        this.tokens = new SignedTokens(keys, ask);
        this.clock = clock;
    }

    /** The token in the value of an {@code Authorization} header; {@code null} if nothing in it looks like one. */
    public static @Nullable String token(@Nullable String authorization) {
        if (authorization == null || !authorization.regionMatches(true, 0, "Bearer ", 0, 7)) {
            return null;
        }
        String token = authorization.substring(7).trim();
        return token.chars().filter(c -> c == '.').count() == 2 ? token : null;
    }

    /** Who shows this token. */
    public Recognition recognize(String token) {
        if (!SignedTokens.compact(token)) {
            return Refused.MALFORMED;
        }
        Issuers now = issuers.get();
        var digest = ByteBuffer.wrap(Sha256.digest(token.getBytes(StandardCharsets.US_ASCII)));
        Taken before = taken.getIfPresent(digest);
        if (before != null
                && before.issuers() == now
                && before.keys() == keys.apply(before.issuer())
                && clock.instant().isBefore(before.until())) {
            return new Known(before.caller());
        }
        return verify(token, now, digest);
    }

    private Recognition verify(String token, Issuers known, ByteBuffer digest) {
        Checked checked = tokens.check(token, TYPES, known);
        if (checked instanceof Checked.Unsigned unsigned) {
            return unsigned.why();
        }
        var signed = (Checked.Signed) checked;
        Issuer issuer = signed.issuer();
        Recognition judged = judge(signed.claims(), issuer, known);
        if (judged instanceof Known it) {
            Instant remembered = clock.instant().plus(REMEMBERED);
            Instant end = it.caller().until();
            Instant until = end == null || end.isAfter(remembered) ? remembered : end;
            taken.put(digest, new Taken(known, issuer.id(), signed.keys(), it.caller(), until));
        }
        return judged;
    }

    private Recognition judge(JsonNode claims, Issuer issuer, Issuers known) {
        String sub = claims.path("sub").textValue();
        Refused untimely = SignedTokens.untimely(claims, clock.instant());
        if (sub == null || !Subject.fit(sub)) {
            return Refused.CLAIMS;
        }
        if (untimely != null) {
            return untimely;
        }
        Issuers.Known person = known.person(issuer.id(), sub);
        UUID id = person == null ? null : person.person();
        return new Known(new Caller(
                Subject.caller(issuer.id(), sub, id),
                person == null ? sub : person.name(),
                issuer.tenant(),
                roles(claims, issuer.terms(), person != null && person.approves()),
                id,
                SignedTokens.end(claims),
                issuer.id()));
    }

    private static Set<Role> roles(JsonNode claims, Issuer.Terms terms, boolean approves) {
        String where = terms.rolesClaim();
        JsonNode claim = where.startsWith("/") ? claims.at(where) : claims.path(where);
        var roles = EnumSet.noneOf(Role.class);
        (claim.isTextual() ? SPACES.splitAsStream(claim.textValue()) : SignedTokens.texts(claim))
                .forEach(value -> roles.addAll(terms.roleMap().getOrDefault(value, List.of())));
        roles.remove(Role.OPERATOR);
        if (!approves) {
            OF_APPROVERS.forEach(roles::remove);
        }
        return Set.copyOf(roles);
    }
}
