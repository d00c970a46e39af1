package dev.countersign.api;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;

/**
 * The one text that a JSON value has under RFC 8785 (JSON Canonicalization Scheme), with the comparison and the digest that follow from it. Two
 * programs that agree on the value agree on the bytes. Values that RFC 8785 would change on the way, such as the integer 9007199254740993, are refused
 * instead: what was approved must be what is done. Nodes are only read, so they may be shared between threads.
 */
public final class CanonicalJson {
    /** The deepest nesting of arrays and objects that has a canonical form here: as deep as Jackson reads by default. */
    public static final int MAX_DEPTH = 1_000;

    private CanonicalJson() {}

    /**
     * The canonical text of {@code value}, in UTF-8.
     *
     * @throws NotCanonicalException if there is none; the message says where and why
     */
    public static byte[] of(JsonNode value) throws NotCanonicalException {
        return new CanonicalText().of(value).getBytes(StandardCharsets.UTF_8);
    }

    /**
     * The structural comparison of the AuthZEN Access Request and Approval Profile: same JSON type; numbers by canonical form, strings code point by
     * code point (never normalised), arrays in order, objects by the same member names with the same values, an absent member unlike {@code null}.
     * The canonical text keeps exactly these differences, so this is the comparison of the texts. A value without canonical form is the same as
     * nothing, not even as itself.
     */
    public static boolean same(JsonNode a, JsonNode b) {
        try {
            return Arrays.equals(of(a), of(b));
        } catch (NotCanonicalException e) {
            return false;
        }
    }

    /**
     * The SHA-256 of the canonical text, as 43 characters of base64url without padding.
     *
     * @throws NotCanonicalException if there is no canonical text
     */
    public static String sha256(JsonNode value) throws NotCanonicalException {
        byte[] text = of(value);
        try {
            return Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(MessageDigest.getInstance("SHA-256").digest(text));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
