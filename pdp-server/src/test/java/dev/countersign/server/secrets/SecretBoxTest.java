package dev.countersign.server.secrets;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.SecureRandom;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

/** What is encrypted can be read with its key and in its place, and nowhere else. */
class SecretBoxTest {
    private static final SecretBox BOX = box(1);

    static SecretKey key(int fill) {
        byte[] bytes = new byte[32];
        java.util.Arrays.fill(bytes, (byte) fill);
        return new SecretKeySpec(bytes, "AES");
    }

    static SecretBox box(int fill) {
        return SecretBox.of(key(fill), new SecureRandom());
    }

    @Test
    void aTextIsReadAgainInItsPlace() {
        String stored = BOX.seal("grüße", "webhooks", "acme", "1");
        assertThat(stored).startsWith("aes256gcm:").doesNotContain("grüße");
        assertThat(BOX.open(stored, "webhooks", "acme", "1")).isEqualTo("grüße");
        assertThat(box(1).open(stored, "webhooks", "acme", "1")).isEqualTo("grüße");
        assertThat(BOX.seal("grüße", "webhooks", "acme", "1")).isNotEqualTo(stored);
    }

    @Test
    void aTextFromAnotherRowOrTenantIsRefused() {
        String stored = BOX.seal("s3cret", "webhooks", "acme", "1");
        for (String[] place : new String[][] {
            {"webhooks", "other", "1"},
            {"webhooks", "acme", "2"},
            {"webhooks", "acme1", ""},
            {"signing_keys", "acme", "1"}
        }) {
            assertThatThrownBy(() -> BOX.open(stored, place))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining(String.join(" ", place));
        }
    }

    @Test
    void aTextWithOneBitChangedIsRefused() {
        String stored = BOX.seal("s3cret", "signing_keys", "k");
        int begin = stored.lastIndexOf(':') + 1;
        byte[] all = java.util.Base64.getDecoder().decode(stored.substring(begin));
        for (int bit = 0; bit < all.length * 8; bit++) {
            byte[] changed = all.clone();
            changed[bit / 8] ^= (byte) (1 << bit % 8);
            String tampered =
                    stored.substring(0, begin) + java.util.Base64.getEncoder().encodeToString(changed);
            assertThatThrownBy(() -> BOX.open(tampered, "signing_keys", "k"))
                    .as("bit %s", bit)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageNotContaining("s3cret");
        }
        assertThatThrownBy(() -> BOX.open(stored.substring(0, begin), "signing_keys", "k"))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void anotherKeyIsNamedByItsId() {
        String stored = BOX.seal("s3cret", "signing_keys", "k");
        assertThatThrownBy(() -> box(2).open(stored, "signing_keys", "k"))
                .hasMessageContainingAll(SecretBox.id(key(1)), SecretBox.id(key(2)));
        assertThatThrownBy(() -> SecretBox.CLEAR.open(stored, "signing_keys", "k"))
                .hasMessageContainingAll(SecretBox.id(key(1)), "none");
    }

    @Test
    void whatWasStoredInClearIsReadAndWithoutAKeyIsWrittenSo() {
        assertThat(BOX.open("whsec_x", "webhooks", "acme", "1")).isEqualTo("whsec_x");
        assertThat(SecretBox.CLEAR.seal("whsec_x", "webhooks", "acme", "1")).isEqualTo("whsec_x");
    }
}
