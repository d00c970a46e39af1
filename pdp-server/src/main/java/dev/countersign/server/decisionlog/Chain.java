package dev.countersign.server.decisionlog;

import java.security.DigestException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;

/** The running SHA-256 over the entries of a segment: each hash covers the hash before it and the entry. */
final class Chain {
    static final int HASH_BYTES = 32;
    static final int LENGTH_BYTES = 4;
    /** What a frame costs beside its entry. */
    static final int FRAME_OVERHEAD = LENGTH_BYTES + HASH_BYTES;

    /** The largest entry. A length beyond it is not a length: the file has been changed. */
    static final int MAX_ENTRY_BYTES = 16 << 20;

    private final MessageDigest sha256 = sha256();
    private final byte[] hash;

    Chain(byte[] start) {
        hash = Arrays.copyOf(start, HASH_BYTES);
    }

    /** The hash that a chain without predecessor starts from. */
    static byte[] root() {
        return new byte[HASH_BYTES];
    }

    void add(byte[] buffer, int offset, int length) {
        sha256.update(hash);
        sha256.update(buffer, offset, length);
        try {
            sha256.digest(hash, 0, HASH_BYTES);
        } catch (DigestException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The current hash; the array is the chain's own and changes with the next entry. */
    byte[] hash() {
        return hash;
    }

    void reset(byte[] to) {
        System.arraycopy(to, 0, hash, 0, HASH_BYTES);
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
