package dev.countersign.server.signing;

import com.fasterxml.jackson.databind.JsonNode;

/** What is known of a token that somebody has presented. */
public sealed interface Verified {
    /**
     * One of our servers has signed it, for this purpose and this recipient, and it is good now.
     *
     * @param claims what it says, an object
     */
    record Good(JsonNode claims) implements Verified {}

    /** It proves nothing. From {@link #WRONG_TYPE} on, one of our servers has signed it all the same. */
    enum Bad implements Verified {
        /** It is nothing that a server signs: not three parts, too long, another algorithm, or more in its header. */
        MALFORMED,
        /** No key of its id is known, or what that key has signed is over. */
        UNKNOWN_KEY,
        /** It was not signed with that key, or it was changed since. */
        BAD_SIGNATURE,
        /** It was signed for another purpose. */
        WRONG_TYPE,
        /** Somebody else has issued it. */
        WRONG_ISSUER,
        /** It was issued for others. */
        WRONG_AUDIENCE,
        /** It does not say for whom it was issued. */
        NO_AUDIENCE,
        /** It is no longer good, or does not say until when it is. */
        EXPIRED
    }
}
