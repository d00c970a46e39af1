package dev.countersign.server.issuers;

import dev.countersign.rules.facts.Worded;

/** Why a statement of who decided is not taken. */
public enum StatementRefusal implements Worded {
    /** It is not what such a statement is. */
    MALFORMED("it is not a JWS in compact form with the `typ` " + ReviewStatements.TYPE + ", an `alg` and a `kid`"),
    /** No issuer that is registered has signed it. */
    UNSIGNED("no issuer that this tenant has registered has signed it for the audience that is registered with it"),
    /** The keys of the issuer that it names are being read at this moment. */
    READING("the keys of its issuer are being read: try again"),
    /** It lacks a claim, or one of them cannot be used. */
    CLAIMS(
            "it needs `iss`, `aud`, `sub`, `iat`, `exp`, `jti` (1 to 200 characters), `request_id`, `digest`, and a `decision`"
                    + " that is approve or deny; a `note` is a text"),
    /** Its time is over. */
    EXPIRED("it has expired"),
    /** It was issued in the future. */
    EARLY("it is not good yet"),
    /** It would be good for too long. */
    TOO_LONG("more than 10 minutes are between its `iat` and its `exp`"),
    /** Nobody is behind its subject who may review so. */
    NOBODY("its `sub` is no person here who may review by tokens of this issuer"),
    /** It is about another request. */
    OTHER_REQUEST("its `request_id` is not the id of this request"),
    /** It is about another call. */
    OTHER_DIGEST("its `digest` is not that of the call that this request would approve"),
    /** It was presented before. */
    REPLAYED("its `jti` was used before: read the request to see what came of it"),
    /** Who relays is who decides. */
    OWN("the person whose key relays does not decide: another system relays, or the person reviews with that key");

    private final String text;

    StatementRefusal(String text) {
        this.text = text;
    }

    /** What is wrong with it, for whoever relays it. */
    public String text() {
        return text;
    }
}
