package dev.countersign.server.identity;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.HashSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApiKeyTest {
    @Test
    void aKeyBeginsWithItsVisibleIdHas256BitsAndIsNeverDrawnTwice() {
        var random = new SecureRandom();
        var seen = new HashSet<String>();
        for (int i = 0; i < 1_000; i++) {
            ApiKey key = ApiKey.draw(random);
            assertThat(key.id()).matches("csk_[a-z2-9]{8}");
            assertThat(key.secret()).matches(key.id() + "_[A-Za-z0-9_-]{43}");
            assertThat(key.hash()).hasSize(32);
            seen.add(key.secret());
        }
        assertThat(seen).hasSize(1_000);
    }

    @Test
    void aKeyInALogShowsItsIdOnly() {
        ApiKey key = ApiKey.draw(new SecureRandom());
        assertThat(key).hasToString(key.id());
    }

    @Test
    void everyRoleIsFoundByItsOwnWordAndNoneByAnother() {
        for (Role role : Role.values()) {
            assertThat(Role.of(role.word())).contains(role);
        }
        assertThat(Role.APPROVALS_BREAK_GLASS.word()).isEqualTo("approvals.break_glass");
        assertThat(Role.of("root")).isEmpty();
        assertThat(Role.of("DECIDE")).isEmpty();
    }

    @Test
    void demoKeysAreForTheirOwnerAloneAndTheOperatorHasNoTenant(@TempDir Path directory) throws IOException {
        var keys = DemoKeys.draw(new SecureRandom());
        Path file = directory.resolve("keys.json");
        DemoKeys.write(file, keys);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        for (KeyStore.NewKey key : keys) {
            assertThat(Files.readString(file)).contains(key.key().secret());
            assertThat(key.tenant() == null).isEqualTo(key.roles().contains(Role.OPERATOR));
        }
    }
}
