package dev.countersign.server.issuers;

import dev.countersign.rules.facts.Sha256;
import dev.countersign.server.identity.StoredKey.Person;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The person behind a subject of an issuer's tokens.
 *
 * @param issuer the registration of the issuer
 * @param sub what the tokens have as {@code sub}
 * @param person who it is
 * @param approves whether the person may review with such a token
 * @param updatedAt when this was last said
 * @param updatedBy the id of the caller who said it
 */
public record Subject(UUID issuer, String sub, Person person, boolean approves, Instant updatedAt, String updatedBy) {
    /** The most characters of a {@code sub}. */
    public static final int LONGEST = 200;

    private static final int MARK = 22;

    /** Whether a token may have this as {@code sub}: 1 to {@link #LONGEST} characters, none of them a control character. */
    public static boolean fit(String sub) {
        return !sub.isBlank()
                && sub.codePointCount(0, sub.length()) <= LONGEST
                && sub.chars().noneMatch(Character::isISOControl);
    }

    /**
     * The id by which a caller with tokens of this subject is written down. It is another one for each person that the subject
     * is said to be, and for none, so that what one may do is never found under the id of another.
     */
    public static String caller(UUID issuer, String sub, @Nullable UUID person) {
        return "jwt:" + issuer + ":" + mark(sub, person);
    }

    static String mark(String sub, @Nullable UUID person) {
        String named = person == null ? sub : person + " " + sub;
        byte[] digest = Sha256.digest(named.getBytes(StandardCharsets.UTF_8));
        String text = Base64.getUrlEncoder().withoutPadding().encodeToString(digest);
        return (person == null ? "s" : "p") + text.substring(0, MARK);
    }
}
