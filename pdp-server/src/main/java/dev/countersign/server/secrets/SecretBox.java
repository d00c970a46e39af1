package dev.countersign.server.secrets;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import org.jspecify.annotations.Nullable;

/**
 * Encrypts texts that lie in the database, by AES-256-GCM: {@code aes256gcm:}, the id of the key, {@code :}, and in base64 a
 * nonce of its own, the text and its tag. Each is bound to its place, the row that it is in, and is good nowhere else. A text
 * that is not encrypted is read as it is. May be used from any thread.
 */
public final class SecretBox {
    /** How a text begins that is encrypted. */
    public static final String PREFIX = "aes256gcm:";

    /** Without a key: texts stay as they are, and those that are encrypted cannot be read. */
    public static final SecretBox CLEAR = new SecretBox(null, new SecureRandom());

    private static final int NONCE_BYTES = 12;
    private static final int TAG_BITS = 128;
    private static final int ID_BYTES = 6;

    private final @Nullable SecretKey key;
    private final SecureRandom random;
    private final String id;

    private SecretBox(@Nullable SecretKey key, SecureRandom random) {
        this.key = key;
        this.random = random;
        this.id = key == null ? "" : id(key);
    }

    /** One that encrypts with this key, of 32 bytes. */
    public static SecretBox of(SecretKey key, SecureRandom random) {
        return new SecretBox(key, random);
    }

    /** What tells keys apart and tells nothing of them: 12 hexadecimal digits. */
    static String id(SecretKey key) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            byte[] digest = mac.doFinal("countersign secrets key".getBytes(StandardCharsets.US_ASCII));
            return HexFormat.of().formatHex(digest, 0, ID_BYTES);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java platform has no HMAC-SHA256", e);
        }
    }

    /**
     * The text as it is to be stored.
     *
     * @param place the table, and what identifies the row
     */
    public String seal(String text, String... place) {
        if (key == null) {
            return text;
        }
        try {
            byte[] nonce = new byte[NONCE_BYTES];
            random.nextBytes(nonce);
            byte[] sealed =
                    cipher(Cipher.ENCRYPT_MODE, key, nonce, place).doFinal(text.getBytes(StandardCharsets.UTF_8));
            byte[] all = ByteBuffer.allocate(nonce.length + sealed.length)
                    .put(nonce)
                    .put(sealed)
                    .array();
            return PREFIX + id + ":" + Base64.getEncoder().encodeToString(all);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("this Java platform has no AES-256-GCM", e);
        }
    }

    /**
     * The text that was stored.
     *
     * @param place where it was stored
     * @throws IllegalStateException if it cannot be read: with another key, changed, or moved from another place; the message
     *     names the place and tells nothing of the text
     */
    public String open(String stored, String... place) {
        if (!stored.startsWith(PREFIX)) {
            return stored;
        }
        String[] parts = stored.split(":", -1);
        if (key == null || parts.length != 3 || !parts[1].equals(id)) {
            throw new IllegalStateException("a secret in " + String.join(" ", place) + " is encrypted with "
                    + (parts.length == 3 ? "the key " + parts[1] : "no key") + ", and this server has "
                    + (key == null ? "none" : id));
        }
        try {
            byte[] all = Base64.getDecoder().decode(parts[2]);
            byte[] nonce = Arrays.copyOf(all, NONCE_BYTES);
            byte[] text = cipher(Cipher.DECRYPT_MODE, key, nonce, place)
                    .doFinal(all, NONCE_BYTES, Math.max(0, all.length - NONCE_BYTES));
            return new String(text, StandardCharsets.UTF_8);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IllegalStateException(
                    "a secret in " + String.join(" ", place) + " was changed, or comes from another row", e);
        }
    }

    private static Cipher cipher(int mode, SecretKey key, byte[] nonce, String... place)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        cipher.init(mode, key, new GCMParameterSpec(TAG_BITS, nonce));
        var bound = new ByteArrayOutputStream();
        for (String part : place) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            // With its length, so that no two places are the same bytes.
            bound.writeBytes(
                    ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
            bound.writeBytes(bytes);
        }
        cipher.updateAAD(bound.toByteArray());
        return cipher;
    }

    @Override
    public String toString() {
        return key == null ? "no key" : "key " + id;
    }
}
