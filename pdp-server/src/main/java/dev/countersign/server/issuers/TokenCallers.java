package dev.countersign.server.issuers;

import com.fasterxml.jackson.databind.JsonNode;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.nimbusds.jose.util.Base64URL;
import dev.countersign.rules.facts.BadCall;
import dev.countersign.rules.facts.Sha256;
import dev.countersign.rules.facts.StrictJson;
import dev.countersign.server.identity.Caller;
import dev.countersign.server.identity.Role;
import dev.countersign.server.issuers.Recognition.Known;
import dev.countersign.server.issuers.Recognition.Refused;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Tells who shows a token. Its tenant is that of the registration of its issuer and audience; its person is whom an
 * administrator has said to be behind its subject; nothing of this is taken from a claim, nor a key from a header. What was
 * verified is remembered for {@link #REMEMBERED} at most, while neither issuers nor keys change. All methods may be called
 * from any thread, and none waits.
 */
public final class TokenCallers {
    /** The longest token, in characters. */
    public static final int MAX_LENGTH = 16 * 1_024;

    /** How far the clock of an issuer may differ. */
    public static final Duration TOLERANCE = Duration.ofSeconds(30);

    /** How long at most a token is taken without being verified once more. */
    public static final Duration REMEMBERED = Duration.ofSeconds(60);

    private static final int MOST_REMEMBERED = 10_000;
    private static final long LATEST = Instant.parse("9999-12-31T00:00:00Z").getEpochSecond();
    private static final Pattern COMPACT = Pattern.compile("[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+");
    private static final Pattern SPACES = Pattern.compile(" +");
    private static final Set<String> TYPES = Set.of("jwt", "at+jwt", "application/jwt", "application/at+jwt");
    /** What would change how the token is read, or bring the key that verifies it. */
    private static final List<String> NEVER = List.of("crit", "b64", "zip", "jku", "jwk", "x5u", "x5c");

    private static final List<Role> OF_APPROVERS = List.of(Role.APPROVALS_APPROVE, Role.APPROVALS_BREAK_GLASS);

    private record Taken(Issuers issuers, UUID issuer, KeySet keys, Caller caller, Instant until) {}

    private final Supplier<Issuers> issuers;
    private final Function<UUID, KeySet> keys;
    private final Predicate<UUID> ask;
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
        this.ask = ask;
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
        if (token.length() > MAX_LENGTH || !COMPACT.matcher(token).matches()) {
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
        String[] parts = token.split("\\.", -1);
        JsonNode header = object(parts[0]);
        JsonNode claims = object(parts[1]);
        if (header == null || claims == null || !readable(header)) {
            return Refused.MALFORMED;
        }
        Issuer issuer = issuer(claims, known);
        String algorithm = header.path("alg").textValue();
        String kid = header.path("kid").textValue();
        if (issuer == null || kid == null || !issuer.terms().algorithms().contains(algorithm)) {
            return Refused.UNKNOWN;
        }
        KeySet published = keys.apply(issuer.id());
        VerifyingKey key = published.find(kid);
        if (key == null) {
            return ask.test(issuer.id()) ? Refused.READING : Refused.UNKNOWN;
        }
        byte[] input = token.substring(0, token.lastIndexOf('.')).getBytes(StandardCharsets.US_ASCII);
        if (!key.verifies(algorithm, input, new Base64URL(parts[2]))) {
            return Refused.UNKNOWN;
        }
        Recognition judged = judge(claims, issuer, known);
        if (judged instanceof Known it) {
            Instant remembered = clock.instant().plus(REMEMBERED);
            Instant end = it.caller().until();
            Instant until = end == null || end.isAfter(remembered) ? remembered : end;
            taken.put(digest, new Taken(known, issuer.id(), published, it.caller(), until));
        }
        return judged;
    }

    private static boolean readable(JsonNode header) {
        String type = header.path("typ").textValue();
        return type != null
                && TYPES.contains(type.toLowerCase(Locale.ROOT))
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

    private Recognition judge(JsonNode claims, Issuer issuer, Issuers known) {
        String sub = claims.path("sub").textValue();
        boolean timed = time(claims.path("exp"))
                && Stream.of("nbf", "iat").allMatch(name -> !claims.has(name) || time(claims.path(name)));
        if (sub == null || !Subject.fit(sub) || !timed) {
            return Refused.CLAIMS;
        }
        Instant now = clock.instant();
        Instant end = Instant.ofEpochSecond(claims.path("exp").longValue()).plus(TOLERANCE);
        if (!now.isBefore(end)) {
            return Refused.EXPIRED;
        }
        long latest = now.plus(TOLERANCE).getEpochSecond();
        if (claims.path("nbf").longValue() > latest || claims.path("iat").longValue() > latest) {
            return Refused.EARLY;
        }
        Issuers.Known person = known.person(issuer.id(), sub);
        UUID id = person == null ? null : person.person();
        return new Known(new Caller(
                Subject.caller(issuer.id(), sub, id),
                person == null ? sub : person.name(),
                issuer.tenant(),
                roles(claims, issuer.terms(), person != null && person.approves()),
                id,
                end,
                issuer.id()));
    }

    private static Set<Role> roles(JsonNode claims, Issuer.Terms terms, boolean approves) {
        String where = terms.rolesClaim();
        JsonNode claim = where.startsWith("/") ? claims.at(where) : claims.path(where);
        var roles = EnumSet.noneOf(Role.class);
        (claim.isTextual() ? SPACES.splitAsStream(claim.textValue()) : texts(claim))
                .forEach(value -> roles.addAll(terms.roleMap().getOrDefault(value, List.of())));
        roles.remove(Role.OPERATOR);
        if (!approves) {
            OF_APPROVERS.forEach(roles::remove);
        }
        return Set.copyOf(roles);
    }

    private static boolean time(JsonNode time) {
        return time.isNumber() && time.doubleValue() >= 0 && time.doubleValue() <= LATEST;
    }

    /** The text, or the texts of the list; what is no text is left out. */
    private static Stream<String> texts(JsonNode node) {
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
