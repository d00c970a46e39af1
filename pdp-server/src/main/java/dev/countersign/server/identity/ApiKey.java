package dev.countersign.server.identity;

import dev.countersign.rules.facts.Sha256;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;

/**
 * A new API key: {@code csk_}, eight characters by which people name it, {@code _}, and 256 random bits. Only its SHA-256
 * is ever stored.
 *
 * @param id the visible prefix, {@code csk_} and eight characters
 * @param secret the whole key; shown once
 */
public record ApiKey(String id, String secret) {
    private static final String ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789";

    /** A key drawn from {@code random}. */
    public static ApiKey draw(SecureRandom random) {
        var id = new StringBuilder("csk_");
        for (int i = 0; i < 8; i++) {
            id.append(ALPHABET.charAt(random.nextInt(ALPHABET.length())));
        }
        byte[] bits = new byte[32];
        random.nextBytes(bits);
        return new ApiKey(
                id.toString(),
                id + "_" + Base64.getUrlEncoder().withoutPadding().encodeToString(bits));
    }

    /** The SHA-256 of the whole key. */
    public byte[] hash() {
        return Sha256.digest(secret.getBytes(StandardCharsets.UTF_8));
    }

    /** Without the secret. */
    @Override
    public String toString() {
        return id;
    }
}
