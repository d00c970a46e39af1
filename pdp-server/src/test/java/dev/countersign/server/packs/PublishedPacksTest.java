package dev.countersign.server.packs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.pack.Pack;
import java.lang.ref.WeakReference;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class PublishedPacksTest {
    private static final PackFiles FILES = new PackFiles(Map.of(
            "pack.yaml",
            "name: p\nversion: 1.0.0\n",
            "r.drl",
            "package p\nrule \"r\" when Request( ) then decision.allow(\"OK\"); end\n"));
    private static final String DIGEST =
            Objects.requireNonNull(FILES.read(new Diagnostics())).digest();

    private final PublishedPacks published = new PublishedPacks();

    @Test
    void aPackThatIsInUseIsNotReadAgainHoweverLongItsText() {
        String text = FILES.json() + " ".repeat(9 << 20);
        Pack first = published.parse(DIGEST, text);
        assertThat(first).isNotNull();
        assertThat(published.parse(DIGEST, text)).isSameAs(first);
    }

    @Test
    void aPackThatIsNotInUseTakesNoMemory() {
        var gone = new WeakReference<>(published.parse(DIGEST, FILES.json()));
        for (int i = 0; i < 100 && gone.get() != null; i++) {
            System.gc();
        }
        assertThat(gone.get()).isNull();
        assertThat(published.parse(DIGEST, FILES.json())).isNotNull();
    }

    @Test
    void whatIsNotTheTextThatWasPublishedIsNoPack() {
        assertThat(published.parse("0".repeat(64), FILES.json())).isNull();
        assertThat(published.parse(DIGEST, "[]")).isNull();
        assertThat(published.parse(DIGEST, "{")).isNull();
    }
}
