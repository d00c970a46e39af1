package dev.countersign.server.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.countersign.rules.dialect.Diagnostics;
import dev.countersign.rules.pack.Pack;
import dev.countersign.rules.pack.PackReader;
import dev.countersign.server.packs.ActivePack;
import dev.countersign.server.packs.PackSet;
import dev.countersign.server.packs.PackSets;
import dev.countersign.server.packs.Unusable;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What cannot be used denies, and keeps nobody from taking it or something else out. */
class PlanePacksTest {
    private static final String SECRET = "hunter2";

    private final PackSets sets = new PackSets(Map.of("LIMIT", SECRET, "OTHER", "5"));

    /** A pack that declares `limit` as {@code type}. */
    private static Pack pack(String name, String type) {
        return read(name, "params:\n  limit: " + type + "\n");
    }

    private static Pack read(String name, String declares) {
        var diagnostics = new Diagnostics();
        Pack pack = new PackReader(diagnostics)
                .read(
                        "",
                        Map.of(
                                "pack.yaml",
                                "name: " + name + "\nversion: 1.0.0\n" + declares,
                                "r.drl",
                                "package " + name.replace('-', '_')
                                        + "\nrule \"r\" when Request( ) then decision.allow(\"OK\"); end\n"));
        assertThat(diagnostics.all()).isEmpty();
        return Objects.requireNonNull(pack);
    }

    private static ActivePack number(String name, long version) {
        return new ActivePack(name, version, pack(name, "{type: number, default: 1}"));
    }

    private static ActivePack text(String name, long version) {
        return new ActivePack(name, version, pack(name, "{type: text, default: \"1\"}"));
    }

    private PlanePacks plane(ActivePack... own) {
        return PlanePacks.of(0, sets, List.of(pack("beneath", "{type: number, default: 1}")), List.of(own), List.of());
    }

    private static boolean denies(PackSet set) {
        return set.packs().contains(Unusable.PACK);
    }

    @Test
    void whatDoesNotGoWithTheOthersDeniesAndCanBeTakenOut() {
        ActivePack good = number("a", 1);
        ActivePack clashing = text("b", 1);
        PlanePacks packs = plane(good, clashing, text("c", 1));
        assertThat(packs.unusable()).containsOnlyKeys("b", "c");
        assertThat(denies(packs.set())).isTrue();
        assertThat(denies(packs.with(List.of(good)))).isFalse();
        assertThat(packs.with(List.of(good, clashing)).packs())
                .as("one of two is taken out, and the other denies on")
                .contains(Unusable.PACK)
                .contains(Objects.requireNonNull(good.pack()));
        assertThat(denies(packs.with(List.of(clashing))))
                .as("another is taken out")
                .isTrue();
    }

    @Test
    void whatDoesNotPassTheGateAnyMoreDeniesAndCanBeTakenOut() {
        ActivePack good = number("a", 1);
        ActivePack broken = new ActivePack("b", 1, null);
        PlanePacks packs = plane(good, broken);
        assertThat(packs.unusable()).containsOnlyKeys("b");
        assertThat(denies(packs.with(List.of(good)))).isFalse();
        assertThat(denies(packs.with(List.of(broken)))).isTrue();
        assertThat(denies(packs.with(List.of(good, number("b", 2))))).isFalse();
    }

    @Test
    void nothingNewThatCannotBeUsedIsTaken() {
        PlanePacks packs = plane(number("a", 1), text("b", 1));
        for (ActivePack refused : List.of(text("b", 2), text("c", 1), new ActivePack("c", 1, null))) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> packs.with(List.of(number("a", 1), refused)))
                    .as(refused.toString());
        }
        assertThatIllegalArgumentException().isThrownBy(() -> packs.instead(text("a", 2)));
    }

    @Test
    void noPackTakesTheNameOfTheOneThatDenies() {
        Pack posing = read(Unusable.NAME, "");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> sets.of(List.of(posing)))
                .withMessageContaining(Unusable.NAME);
        PlanePacks packs = plane(new ActivePack(Unusable.NAME, 1, posing));
        assertThat(packs.unusable()).containsOnlyKeys(Unusable.NAME);
        assertThat(denies(packs.set())).isTrue();
    }

    @Test
    void aPackThatTheEnvironmentDoesNotFitCannotBeUsedAndTheValueIsNotTold() {
        Pack fitting = pack("own", "{type: number, default: 1, env: OTHER}");
        assertThat(sets.of(List.of(fitting)).packs()).containsExactly(fitting);
        Pack unfit = pack("own", "{type: number, default: 1, env: LIMIT}");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> sets.of(List.of(unfit)))
                .withMessageContaining("`limit`")
                .withMessageContaining("LIMIT")
                .satisfies(refused -> assertThat(refused.getMessage()).doesNotContain(SECRET))
                .withNoCause();
        PlanePacks packs = plane(new ActivePack("own", 1, unfit));
        assertThat(packs.unusable()).containsOnlyKeys("own");
        assertThat(denies(packs.set())).isTrue();
    }
}
