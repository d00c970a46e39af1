package dev.countersign.server.issuers;

import dev.countersign.server.identity.Caller;

/** What a token tells of whoever shows it. */
public sealed interface Recognition {
    /** It is good, and this is who shows it. */
    record Known(Caller caller) implements Recognition {}

    /** It is not good now. */
    enum Refused implements Recognition {
        /** It is not a signed token as RFC 7519 has it, or not one for such a purpose. */
        MALFORMED("it is not a signed JSON Web Token of the type JWT or at+jwt"),
        /** No issuer that is registered for its audience has signed it. */
        UNKNOWN("no issuer that is registered here has signed it for this audience"),
        /** The same, but the keys of the issuer that it names are being read at this moment. */
        READING("the keys of its issuer are being read: try again"),
        /** Its time is over. */
        EXPIRED("it has expired"),
        /** Its time has not come, or it was issued in the future. */
        EARLY("it is not good yet"),
        /** It lacks a claim that every token has, or one of them cannot be used. */
        CLAIMS("it needs the claims sub and exp, and nbf and iat, if they are there, are times");

        private final String text;

        Refused(String text) {
            this.text = text;
        }

        /** What is wrong with it, for whoever shows it. */
        public String text() {
            return text;
        }
    }
}
